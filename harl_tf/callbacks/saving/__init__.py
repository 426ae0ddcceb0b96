"""Saving a run so that it goes on where it was: when, what, and what is read back."""
