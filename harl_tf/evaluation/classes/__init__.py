"""Vectors with class labels: neighbors, linear classifiers, few labels, retrieval."""
