"""Trained networks, opened once per process."""
