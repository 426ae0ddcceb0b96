"""Photographs to TFRecords of image and mask: plan, shards, journal, verification."""
