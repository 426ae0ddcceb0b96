"""What a start is worth once every layer is trained: a classifier, a segmenter, a detector."""
