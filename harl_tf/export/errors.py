"""The error of exports."""


class ExportError(Exception):
    """A backbone cannot be exported or loaded; the message says why and what to do."""
