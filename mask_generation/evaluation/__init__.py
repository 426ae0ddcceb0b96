"""How good masks are compared with drawn masks and boxes."""
