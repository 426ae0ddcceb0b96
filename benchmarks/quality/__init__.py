"""How good: masks, and backbones that were trained with them."""
