"""The Caltech benchmark goes from archives to a table, by the command that users have."""

import csv
import subprocess
import sys
import tarfile

import pytest
from PIL import Image

from conftest import make_photograph

OPTIONS = ("--epochs", "1", "--batch-size", "8", "--image-size", "32", "--precision", "float32")


def archive(folder, name, classes):
    """As the data set comes: NAME.tar with NAME/images/CLASS/NUMBER.jpg."""
    for index in range(16):
        path = folder / name / "images" / classes[index % len(classes)] / f"{index}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(make_photograph(index)).save(path)
    with tarfile.open(folder / f"{name}.tar", "w") as tar:
        tar.add(folder / name, name)


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory, pytestconfig):
    """Runs it with options for the command; the second run finds the records of the first."""
    folder = tmp_path_factory.mktemp("caltech101")
    archive(folder, "caltech101", ("even", "odd"))
    archive(folder, "imagenet1k_samples", ("",))
    command = [sys.executable, "-m", "benchmarks.quality.pretrain_caltech101"]
    command += [f"--archives={folder}", f"--work={folder / 'work'}"]

    def run(results, *options):
        line = [*command, f"--results={results}", "--", *options]
        return subprocess.run(line, capture_output=True, text=True, cwd=pytestconfig.rootpath)

    return run


@pytest.mark.slow
def test_from_archives_to_table_and_curves(tmp_path, benchmark):
    done = benchmark(tmp_path, *OPTIONS)
    assert done.returncode == 0, done.stderr
    assert "before training: kNN " in done.stdout
    with (tmp_path / "pretrain_caltech101.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["epoch"] == "1"
    assert {"loss_instance", "loss_pixel", "embedding_std", "knn_accuracy"} <= set(row)
    assert (tmp_path / "pretrain_caltech101.png").exists()


@pytest.mark.slow
def test_what_the_command_refuses_ends_the_benchmark(tmp_path, benchmark):
    """With the command's own words and code."""
    done = benchmark(tmp_path, "--epoch", "1")
    assert done.returncode == 2
    assert "--epochs" in done.stderr
    assert not any(tmp_path.iterdir())
