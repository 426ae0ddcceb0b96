"""The commands of ``python -m mask_generation``, one module each.

A command module has ``add(commands)``, which describes its arguments, and the function that does
the work and returns the line to print. Nothing slow is imported before it is needed, so that
``--help`` answers at once.
"""
