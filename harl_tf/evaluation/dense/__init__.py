"""Pixels and boxes: segmentation by frozen cells, overlap of label maps, average precision."""
