"""Photographs from folders, lists, tars and TFDS, as names and RGB arrays."""
