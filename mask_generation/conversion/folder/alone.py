"""One process at a time works on a folder of records.

Owns the name of the lock, beside the folder, and what is done first by who holds it.
"""

import contextlib
import pathlib
from collections.abc import Callable, Iterator

from mask_generation.conversion.failure import ConversionError, in_a_sentence
from mask_generation.conversion.folder.output_folder import OutputFolderError, put_back
from mask_generation.lock import Lock, LockedError


@contextlib.contextmanager
def alone(
    target: pathlib.Path, out: pathlib.Path, check: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Within the block, no other process writes to this folder.

    Args:
        target: The folder of records, without links.
        out: The folder, as the user names it.
        check: What must hold of the folder once other processes have left; raises
            ``OutputFolderError``. Default: nothing.

    Raises:
        ConversionError: If another process does, or the check fails.
    """
    with contextlib.ExitStack() as held:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            held.enter_context(Lock(target.with_name(f".{target.name}.lock"), out))
            put_back(target)
            check()
        except (LockedError, OutputFolderError) as error:
            raise ConversionError(str(error)) from None
        except FileExistsError as error:  # a file where a folder of the path should be
            raise ConversionError(f"{out} could not be written: Not a directory.") from error
        except OSError as error:
            raise ConversionError(in_a_sentence(error, out)) from error
        yield
