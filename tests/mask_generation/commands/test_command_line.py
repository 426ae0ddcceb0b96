"""The command line as a user meets it: in processes of its own, where signals and limits matter."""

import argparse
import importlib.util
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import time

import pytest
from PIL import Image

import mask_generation
from conftest import make_photograph
from mask_generation.__main__ import main, parse_arguments

MANY = 2000


def _with_ctrl_c() -> None:
    """What a shell starts in the background ignores Ctrl-C, and so does all that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _start(*arguments: str | pathlib.Path, **options) -> subprocess.Popen:
    options.setdefault("preexec_fn", _with_ctrl_c)
    return subprocess.Popen(
        [sys.executable, "-m", "mask_generation", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # as in a terminal, a signal can reach the workers, too
        **options,
    )


def _finish(process: subprocess.Popen) -> tuple[list[str], list[str]]:
    """Lines of stdout and of stderr, without what TensorFlow logs while it is loaded."""
    out, err = process.communicate(timeout=240)  # a busy machine takes long to start workers
    noise = re.compile(r"[IWE]0000 00:|WARNING: All log messages before absl::")
    lines = [line for line in re.split(r"[\r\n]+", err.decode()) if line.strip()]
    return out.decode().splitlines(), [line for line in lines if not noise.match(line)]


def _without_bar(lines: list[str]) -> list[str]:
    return [line for line in lines if "photo/s" not in line and "s/photo" not in line]


def _wait_for_first_result(process: subprocess.Popen, count: int = MANY) -> None:
    assert process.stderr is not None
    seen = b""
    while not re.search(rb" [1-9]\d*/%d " % count, seen):
        chunk = os.read(process.stderr.fileno(), 4096)
        assert chunk, seen.decode()
        seen += chunk


def _workers(process: subprocess.Popen) -> list[int]:
    tasks = pathlib.Path(f"/proc/{process.pid}/task").glob("*/children")
    return [
        int(child)
        for task in tasks
        for child in task.read_text().split()
        if b"spawn_main" in pathlib.Path(f"/proc/{child}/cmdline").read_bytes()
    ]


def _runs(pid: int) -> bool:
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Folder of hundreds of names for one photograph."""
    folder = tmp_path_factory.mktemp("many")
    Image.fromarray(make_photograph(0, 240, 320)).save(folder / "0000.jpg")
    for index in range(1, MANY):
        os.link(folder / "0000.jpg", folder / f"{index:04d}.jpg")
    return folder


needs_proc = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks into /proc")


def test_convert_shows_a_bar_and_prints_one_line(photographs, tmp_path):
    process = _start("convert", photographs, tmp_path / "out", "--workers", "2")
    out, err = _finish(process)
    assert process.returncode == 0
    assert out == [f"12 records, 2 classes, 0 left out: {tmp_path / 'out'}"]
    assert "12/12" in err[-3]
    assert re.fullmatch(r"12 photographs in [\d.]+ s: [\d.]+ photographs/s\.", err[-2])
    assert err[-1] == "classes: 0 even: 6, 1 odd: 6"
    assert _without_bar(err) == err[-2:]


@needs_proc
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143)],
)
@pytest.mark.slow
def test_interrupt_ends_parent_and_workers_and_leaves_nothing(many, tmp_path, number, code):
    process = _start("convert", many, tmp_path / "out", "--workers", "2")
    _wait_for_first_result(process)
    workers = _workers(process)
    assert len(workers) == 2
    # With the parent held, the workers come to wait for work, where Ctrl-C would hit them first.
    # SIGTERM, from a batch system, is for the parent alone.
    os.kill(process.pid, signal.SIGSTOP)
    time.sleep(0.5)
    (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
    time.sleep(0.3)
    os.kill(process.pid, signal.SIGCONT)
    out, err = _finish(process)
    assert process.returncode == code, err
    assert out == []
    assert _without_bar(err) == ["Interrupted; nothing was written."]
    assert list(tmp_path.iterdir()) == []
    assert not any(map(_runs, workers))


IMPORTING = """
import os
import runpy
import signal
import sys


class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == MODULE:
            os.kill(os.getpid(), NUMBER)


signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Interrupting())
runpy.run_module("mask_generation", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize("module", ["numba", "tensorflow"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_while_importing_ends_the_command_at_once(photographs, tmp_path, module, number):
    """An exception could be lost in a callback of the import system."""
    script = f"MODULE, NUMBER = {module!r}, {int(number)}\n{IMPORTING}"
    done = subprocess.run(
        [sys.executable, "-c", script, "convert", photographs, tmp_path / "out"],
        capture_output=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == -number
    assert b"Traceback" not in done.stderr
    assert done.stdout == b""
    assert list(tmp_path.iterdir()) == []


@needs_proc
@pytest.mark.slow
def test_worker_that_dies_costs_nothing(many, tmp_path):
    """Another one takes its place and converts its photograph, too."""
    (tmp_path / "photos").mkdir()
    for path in sorted(many.iterdir())[:300]:
        (tmp_path / "photos" / path.name).symlink_to(path)
    process = _start("convert", tmp_path / "photos", tmp_path / "out", "--workers", "2")
    _wait_for_first_result(process, 300)
    workers = _workers(process)
    os.kill(workers[0], signal.SIGKILL)
    out, err = _finish(process)
    assert process.returncode == 0, err
    (line,) = out
    assert line.startswith("300 records")
    assert ", 0 left out" in line
    assert not any(map(_runs, workers))


def _at_most_8_kilobytes() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))


def test_file_that_cannot_grow_is_one_line_and_leaves_nothing(photographs, tmp_path):
    process = _start(
        *("convert", photographs, tmp_path / "out", "--workers", "1"),
        preexec_fn=_at_most_8_kilobytes,
    )
    out, err = _finish(process)
    assert process.returncode == 1
    assert out == []
    assert _without_bar(err) == [f"error: {tmp_path / 'out'} could not be written: File too large."]
    assert list(tmp_path.iterdir()) == []


def test_left_out_photographs_are_named(tmp_path, monkeypatch, capsys):
    (tmp_path / "in").mkdir()
    Image.fromarray(make_photograph(0)).save(tmp_path / "in" / "good.png")
    for index in range(22):
        (tmp_path / "in" / f"x{index:02d}.jpg").write_bytes(b"")
    line = ["convert", str(tmp_path / "in"), str(tmp_path / "out"), "--workers", "1"]
    assert main(parse_arguments(["mask_generation", *line])) == 0
    printed = capsys.readouterr()
    assert printed.out == f"1 records, 22 left out: {tmp_path / 'out'}\n"
    named = [text for text in printed.err.splitlines() if text.startswith("left out: ")]
    assert named[0] == "left out: x00.jpg: empty file"
    assert named[20:] == [
        "left out: 2 more, see the manifest",
        "left out: 22 in all: empty file",
    ]


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (["verify", "nowhere"], "error: nowhere is not a folder of records: it has no manifest"),
        (["preview", "nowhere"], "error: There is no folder nowhere."),
        (["evaluate", "nowhere"], "error: There is no folder nowhere."),
        (["evaluate", "."], "error: . holds no truth to score masks against. Expected pairs.csv"),
        (["evaluate", ".", "--out", "no/a.csv"], "error: no/a.csv could not be written: No such"),
        (["convert", "nowhere", "out"], "error: There is no folder nowhere."),
    ],
)
def test_failure_is_one_line_and_exit_code_1(tmp_path, monkeypatch, capsys, line, error):
    monkeypatch.chdir(tmp_path)
    assert main(parse_arguments(["mask_generation", *line])) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(error)
    assert printed.err.count("\n") == 1


def test_interrupt_is_exit_code_130_whenever_it_comes(capsys):
    def interrupted(_):
        raise KeyboardInterrupt

    assert main(argparse.Namespace(run=interrupted)) == 130
    assert capsys.readouterr().err == "\nInterrupted; nothing was written.\n"


def test_verify_and_preview_print_one_line(records, tmp_path, capsys):
    sheet = tmp_path / "sheet.png"
    for line in (["verify", str(records)], ["preview", str(records), "--out", str(sheet)]):
        assert main(parse_arguments(["mask_generation", *line])) == 0
    assert capsys.readouterr().out == f"Complete: all records (12) in all shards (3).\n{sheet}\n"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ([], ["convert", "verify", "preview", "evaluate", "without labels"]),
        (
            ["convert"],
            [
                "A.tar [B.tar ...]",
                "LIST.txt",
                "tfds:NAME",
                "tfds:FEATURE",
                "FOLDER=1,3",
                "--also",
                "grid",
            ],
        ),
        (["preview"], ["RECORDS|PHOTOS", "--out", "--count", "--method", "--workers"]),
        (
            ["evaluate"],
            ["pairs.csv", "CorLoc", "--half", "--per-image", "all of these", "--model"],
        ),
    ],
)
def test_help_names_what_can_be_given(capsys, line, words):
    with pytest.raises(SystemExit) as end:
        parse_arguments(["mask_generation", *line, "--help"])
    assert end.value.code == 0
    printed = capsys.readouterr().out
    assert printed.startswith("usage: python -m mask_generation")
    assert all(word in printed for word in words)
    assert max(map(len, printed.splitlines())) <= 100


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ([], "required: COMMAND"),
        (["convert", "a", "b", "--flagged", "magic"], "invalid choice: 'magic'"),
        (["convert", "a"], "required: RECORDS"),
        (["preview", "a", "--count", "0"], "expected 1 or more, received 0"),
        (["preview", "a", "--count", "x"], "expected a whole number, received x"),
        (["evaluate"], "required: ANNOTATED"),
        (["verify", "a", "--quick"], "unknown argument --quick"),
        (["preview", "a", "--coutn=3"], "unknown argument --coutn=3; is it --count?"),
        (["convert", "a", "b", "--work", "2"], "is it --workers?"),
        (["convert", "a", "b", "--flagfile=no/such/file"], "no/such/file"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(capsys, line, error):
    with pytest.raises(SystemExit) as end:
        parse_arguments(["mask_generation", *line])
    assert end.value.code == 2
    printed = capsys.readouterr().err
    assert printed.startswith("error: ")
    assert printed.count("\n") == 1
    assert error in printed


def test_arguments_from_files(tmp_path):
    """One a line, with comments; a file may name another; what comes later counts."""
    (tmp_path / "inner").write_text("--per-shard=7\n")
    (tmp_path / "outer").write_text(f"# masks\n--method=fast\n--flagfile={tmp_path / 'inner'}\n")
    line = ["convert", "PHOTOS", f"--flagfile={tmp_path / 'outer'}", "RECORDS", "--method=best"]
    arguments = parse_arguments(["mask_generation", *line])
    assert (arguments.method, arguments.per_shard) == ("best", 7)
    assert arguments.records == "RECORDS"


@pytest.mark.parametrize(
    "name",
    [
        *("convert", "draw_mask", "evaluate", "find_images", "preview", "region_map", "verify"),
        *("ConversionError", "Evaluation", "EvaluationError", "ModelError", "PreviewError"),
    ],
)
def test_public_names_are_there_and_no_module_has_one_of_them(name):
    """Importing the module would set it as attribute of the package, over the function."""
    assert importlib.util.find_spec(f"mask_generation.{name}") is None
    assert callable(getattr(mask_generation, name))
