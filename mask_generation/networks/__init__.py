"""Trained networks, opened once in each process."""
