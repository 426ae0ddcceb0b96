"""Where the figures of the documents come from; a command makes each table of ``results``.

The rooms: ``speed`` beside other tools and as sizes grow, ``quality`` of masks and backbones,
``profile`` of where time goes; ``harness`` is what their commands share, and ``peers`` run in an
environment of their own.
"""
