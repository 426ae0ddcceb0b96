"""Every example, in short form, on its own data, with a small backbone of random weights."""

import pathlib
import re
import subprocess
import sys

import pytest

import harl_tf

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"
WITHOUT = f"import runpy, sys; sys.modules['harl_tf'] = None; sys.path.insert(0, {str(EXAMPLES)!r})"
SAID = {
    "classify.py": r"val_accuracy: [01]\.\d+",
    "finetune_savedmodel_without_harl_tf.py": r"val_accuracy: [01]\.\d+",
    "retrieve.py": r"right class: [01]\.\d+",
    "segment.py": r"linear mIoU .*\n[^$]*DeepLabV3 mIoU",
    "detect.py": r"AP [01]\.\d+, AP50 [01]\.\d+, AP75 [01]\.\d+ of 50 images",
}


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    model = harl_tf.SimSiam(harl_tf.backbones.small_resnet(10, width=8), 16, 8)
    return harl_tf.export_backbone(model, tmp_path_factory.mktemp("run") / "backbone")


@pytest.mark.slow
@pytest.mark.parametrize("example", SAID)
def test_example_runs_and_says_how_good_it_is(backbone, tmp_path, example):
    epochs = [] if example == "retrieve.py" else ["--epochs=1"]
    start = [str(EXAMPLES / example)]
    if example.endswith("without_harl_tf.py"):  # any import of it fails
        start = ["-c", f"{WITHOUT}; runpy.run_path({start[0]!r}, run_name='__main__')"]
    command = [sys.executable, *start, str(backbone), *epochs]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert re.search(SAID[example], done.stdout), done.stdout


@pytest.mark.parametrize("example", SAID)
def test_example_is_short(example):
    """Forty lines of code, not counting the docstring at the top and empty lines."""
    code = (EXAMPLES / example).read_text(encoding="utf-8").split('"""', 2)[2]
    assert len([line for line in code.splitlines() if line.strip()]) <= 40
