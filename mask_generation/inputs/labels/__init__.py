"""Labels: what the folders, lists and files around photographs say about their classes."""
