"""What another library's error says, as a part of our sentence.

Owns its length and its characters: libraries quote the bytes of a damaged file, all of them in some
cases, and a terminal obeys the control characters among them. The callers write the sentence.
"""

_LONGEST = 300


def reason_of(error: Exception | str) -> str:
    r"""The message of an error, or what kind it is, to stand after a colon.

    Args:
        error: An error that a library raised, or a part of its message.

    Returns:
        One line without a period, of at most 300 characters, all of which can be printed.

    Example:
        >>> reason_of(ValueError("bad\n  header: \x1b[2J."))
        'bad header: \\x1b[2J'
        >>> reason_of(EOFError())
        'EOFError'
    """
    # Beyond what can be shown, a message may have megabytes.
    text = " ".join(str(error)[: 10 * _LONGEST].split())
    text = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
    if len(text) > _LONGEST:
        text = text[: _LONGEST - 1] + "…"
    return text.rstrip(".") or type(error).__name__
