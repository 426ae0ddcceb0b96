"""A toy world of textured shapes, and what a method learns from it within a minute."""
