"""Both packages in a folder where nothing can be written, without a folder for caches."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
SCRIPT = """
import numpy as np
import harl_tf
import mask_generation
from harl_tf.data.color_on_host import apply_plan

assert harl_tf.__file__.startswith(FOLDER) and mask_generation.__file__.startswith(FOLDER)
image = np.zeros((60, 80, 3), np.uint8)
image[20:40, 30:50] = (200, 40, 40)
one, zero = np.eye(3, dtype=np.float32)[None], np.zeros(1, np.float32)
print(apply_plan(image[None], one, zero, zero + 1, np.array([True])).shape)
print(mask_generation.foreground_mask(image).mask.mean() > 0)
"""


@pytest.mark.slow
def test_packages_run_where_nothing_can_be_written(tmp_path):
    """Files in place of folders for caches: root may write into a folder that is read-only."""
    for package in ("harl_tf", "mask_generation"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    for folder in [path for path in tmp_path.rglob("*") if path.is_dir()]:
        (folder / "__pycache__").touch()
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("XDG_CACHE_HOME", "NUMBA_CACHE_DIR")
    }
    done = subprocess.run(
        [sys.executable, "-c", f"FOLDER = {str(tmp_path)!r}\n{SCRIPT}"],
        cwd=tmp_path,
        env=environment | {"HOME": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:2] == ["(1, 60, 80, 3)", "True"]
