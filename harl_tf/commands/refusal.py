"""The error for commands that cannot be carried out."""


class CommandError(Exception):
    """A command cannot be carried out as given; the message says why, in one sentence."""
