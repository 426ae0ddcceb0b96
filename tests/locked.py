"""A lock that another process holds."""

import contextlib
import subprocess
import sys

HOLD = """
import sys, time
from mask_generation.lock import Lock
with Lock(sys.argv[1], "runs/a"):
    print("held", flush=True)
    time.sleep(60)
"""


@contextlib.contextmanager
def held_by_another(file):
    """Another process holds the lock."""
    command = [sys.executable, "-c", HOLD, str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()
