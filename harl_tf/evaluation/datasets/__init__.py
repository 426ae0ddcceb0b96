"""Annotated images on disk: masks in files, boxes in the formats of COCO and Pascal VOC."""
