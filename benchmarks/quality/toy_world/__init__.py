"""A world of textured shapes, and what a method learns of it within a minute."""
