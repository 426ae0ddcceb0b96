"""Making and measuring the backbones of ``pretrained/``."""
