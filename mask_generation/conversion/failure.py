"""What a conversion that fails says, and what it leaves behind."""

import contextlib
import errno
import os
import pathlib
import shutil
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool

import tensorflow as tf

from mask_generation.conversion.disk_space import DiskSpaceError
from mask_generation.conversion.plan import Conversion
from mask_generation.inputs.reading import UnreachableError
from mask_generation.interrupts import no_interrupt
from mask_generation.networks.opening import ModelError
from mask_generation.reason import reason_of

_DIED = "A worker process died, perhaps because memory ran out."


class ConversionError(Exception):
    """The conversion failed; the message says why in one line. No records were written."""


@contextlib.contextmanager
def kept_if_finished(conversion: Conversion, out: pathlib.Path) -> Iterator[None]:
    """Turns a failure into one sentence; keeps a partial folder only for its finished shards."""
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:
        kept = ""
        if done := len(conversion.journal.noted()):
            kept = (
                f"{done} of {len(conversion.shards)} shards are finished and kept in "
                f"{conversion.folder}; the same command continues from there."
            )
        else:
            with no_interrupt():
                shutil.rmtree(conversion.folder, ignore_errors=True)
        if isinstance(error, KeyboardInterrupt):
            raise (KeyboardInterrupt(f"interrupted; {kept}") if kept else error) from None
        if sentence := in_a_sentence(error, out):
            raise ConversionError(" ".join([sentence, kept]).strip()) from error
        raise


def in_a_sentence(error: Exception, out: pathlib.Path) -> str | None:
    """The message for an error that a user can cause; None for a bug.

    Example:
        >>> in_a_sentence(OSError(errno.ENOSPC, "No space left on device"), pathlib.Path("out"))
        'The disk is full; out was not written. Free some space or choose another disk.'
    """
    if isinstance(error, ConversionError | DiskSpaceError | ModelError | UnreachableError):
        return str(error)
    if isinstance(error, BrokenProcessPool):
        why = str(error) if "could not be started: " in str(error) else _DIED
        return f"{why} Try fewer workers."
    if isinstance(error, OSError):
        full = error.errno == errno.ENOSPC
        reason = error.strerror or str(error)
    elif isinstance(error, tf.errors.OpError):  # raised by TFRecordWriter
        full = os.strerror(errno.ENOSPC) in error.message
        reason = error.message.split("; ")[-1]
    else:
        return None
    if full:
        return f"The disk is full; {out} was not written. Free some space or choose another disk."
    return f"{out} could not be written: {reason_of(reason)}."
