"""The commands of ``python -m mask_generation``, one module each.

A command module has ``add(commands)``, which defines its arguments, and the function that does the
work and returns the line to print. Slow imports are deferred until they are needed, so that
``--help`` responds at once.
"""
