"""A disk that is full, over its quota or read-only: a sentence, and what was there is there."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from tests.integration.on_small_disk import JOBS

ROOT = pathlib.Path(__file__).parent.parent.parent
NAMESPACE = ["unshare", "-rm"]
REASONS = {
    "full": r"[Nn]o space left on device|disk is full|more at least; .* are free",
    "quota": r"[Dd]isk quota exceeded|disk is full|more at least; .* are free",
    "read_only": "[Rr]ead-only file system",
}


def can_mount() -> bool:
    try:
        command = [*NAMESPACE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def can_limit() -> bool:
    return os.geteuid() == 0 and shutil.which("mkfs.btrfs") is not None


@pytest.mark.slow
@pytest.mark.skipif(not can_mount(), reason="needs to mount a file system of its own")
@pytest.mark.parametrize(
    "state",
    [
        "full",
        pytest.param(
            "quota",
            marks=pytest.mark.skipif(not can_limit(), reason="needs root, and Btrfs's tools"),
        ),
        "read_only",
    ],
)
@pytest.mark.parametrize("job", list(JOBS))
def test_job_fails_in_a_sentence_and_leaves_what_was_there(
    records, photographs, tmp_path, job, state
):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "records").symlink_to(records)
    (tmp_path / "data" / "photographs").symlink_to(photographs)
    (tmp_path / "disk").mkdir()
    module = "tests.integration.on_small_disk"
    folders = [str(tmp_path / "data" / "records"), str(tmp_path / "disk")]
    namespace = ["unshare", "-m"] if state == "quota" else NAMESPACE
    done = subprocess.run(
        [*namespace, sys.executable, "-m", module, job, state, *folders],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["error"] is not None
    kind, _, sentence = found["error"].partition(": ")
    assert kind in ("OSError", "ConversionError"), found
    assert re.search(REASONS[state], sentence), found
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert found["same"], found["more"]
