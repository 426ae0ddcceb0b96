"""What glibc is told, and who has the last word."""

import subprocess
import sys

import pytest

from harl_tf.data import kept_memory

# By its file, so that a process does not wait for TensorFlow.
FAULTS = f"""
import resource, runpy
import numpy as np
keep_freed_memory = runpy.run_path({kept_memory.__file__!r})["keep_freed_memory"]

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        blocks = [np.ones(3_000_000, np.uint8) for _ in range(9)]
        del blocks
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

print(keep_freed_memory(), faults())
"""


def run(**environment):
    command = [sys.executable, "-c", FAULTS]
    out = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    changed, faults = out.stdout.split()
    return changed == "True", int(faults)


@pytest.mark.skipif(sys.platform != "linux", reason="a setting of glibc")
def test_freed_memory_is_not_asked_for_again():
    """Nine blocks of 733 pages, twenty times: kept, they are new to the process once."""
    changed, faults = run()
    if not changed:
        pytest.skip("no glibc")
    assert faults < 2.5 * 9 * 733


@pytest.mark.parametrize("name", ["MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"])
def test_the_environment_has_precedence(name):
    changed, _ = run(**{name: "131072"})
    assert not changed
