"""How good masks are beside drawn masks and boxes."""
