"""The quality of masks, and of backbones trained with them."""
