import json
import signal

import pytest

from mask_generation.lock import Lock, LockedError
from tests.locked import held_by_another


def test_second_process_is_refused_and_told_which_one_holds_the_lock(tmp_path):
    lock = Lock(tmp_path / ".lock", "runs/a")
    with held_by_another(tmp_path / ".lock") as process, pytest.raises(LockedError) as refused:
        lock.__enter__()
    words = str(refused.value)
    assert words.startswith(f"runs/a is in use by process {process.pid} on ")
    assert words.endswith("Wait for it to end, end it, or choose another folder.")


def test_what_a_killed_process_left_behind_is_no_lock(tmp_path):
    with held_by_another(tmp_path / ".lock") as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert (tmp_path / ".lock.json").exists()
        with Lock(tmp_path / ".lock", "runs/a"):
            pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("note", ["", "[]", "{}", '"text"', "\x00", None])
def test_holder_that_left_no_readable_note_is_another_process(tmp_path, note):
    with held_by_another(tmp_path / ".lock"):
        if note is None:
            (tmp_path / ".lock.json").unlink()
        else:
            (tmp_path / ".lock.json").write_text(note)
        with pytest.raises(LockedError, match=r"in use by another process\."):
            Lock(tmp_path / ".lock", "runs/a").__enter__()


def test_process_may_enter_its_own_lock_again(tmp_path):
    """As a command does, whose callback locks the same folder; the outer one holds on."""
    lock = Lock(tmp_path / ".lock", "runs/a")
    with lock:
        lock.__enter__()
        lock.__exit__(None, None, None)
        assert json.loads((tmp_path / ".lock.json").read_text())["process"] > 0
    assert list(tmp_path.iterdir()) == []


def test_lock_is_let_go_after_an_error(tmp_path):
    with pytest.raises(ZeroDivisionError), Lock(tmp_path / ".lock", "runs/a"):
        raise ZeroDivisionError
    with held_by_another(tmp_path / ".lock"):
        pass
