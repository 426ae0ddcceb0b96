"""Measurements of an image before segmentation: size, frame and superpixels."""
