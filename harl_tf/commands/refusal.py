"""What a command does not do, and what to do instead."""


class CommandError(Exception):
    """A command cannot be carried out as it was given; the message says why, in one sentence."""
