"""The parts of ``examples/quickstart.py``, one idea per file; for reading and for copying."""
