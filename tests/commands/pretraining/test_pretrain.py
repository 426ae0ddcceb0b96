"""The command line end to end: it trains, continues, refuses, and says where things are."""

import csv
import dataclasses
import json
import os
import re
import subprocess
import sys

import keras
import pytest

import harl_tf
from harl_tf.commands import main, parse_arguments
from harl_tf.commands.pretraining import pretrain
from harl_tf.recipes import RECIPES, Rate, SGDSettings
from harl_tf.runs import RunFolder
from tests.locked import held_by_another
from tests.networks import tiny_pyramid

SMALL = ("--batch-size", "4", "--image-size", "32", "--precision", "float32")


@dataclasses.dataclass(frozen=True)
class TinyNetwork:
    """Three convolutions."""

    def stride_for(self, image_size):
        return 8

    def build(self, image_size):
        return tiny_pyramid()


@pytest.fixture
def tiny(monkeypatch):
    """A recipe named ``tiny``: SimCLR with a narrow head, on a network of three convolutions."""
    recipe = dataclasses.replace(
        RECIPES["simclr_small"],
        name="tiny",
        settings={"projection_units": 8, "hidden_units": 16},
        network=TinyNetwork(),
        epoch_steps=0,
        optimizer=SGDSettings(Rate(0.24, warmup_epochs=2), weight_decay=1e-5),
    )
    monkeypatch.setitem(RECIPES, "tiny", recipe)
    return recipe


def command(*line) -> int:
    return main(parse_arguments(["harl_tf", *map(str, line)]))


def rows(run):
    with (run / "log.csv").open() as file:
        return list(csv.DictReader(file))


def test_run_that_another_process_works_on_is_refused(records, tmp_path, capsys, tiny):
    run = tmp_path / "run"
    run.mkdir()
    with held_by_another(run / ".lock") as process:
        assert command("pretrain", records, run, "--recipe", "tiny", *SMALL, "--epochs", 2) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {run} is in use by process {process.pid} on ")
    assert sorted(path.name for path in run.iterdir()) == [".lock", ".lock.json"]


def interrupted_in_second_epoch(monkeypatch, *line):
    save = harl_tf.callbacks.Checkpoint.on_epoch_end

    def interrupt(self, epoch, logs=None):
        if epoch == 1:  # the log has the row already
            raise KeyboardInterrupt
        save(self, epoch, logs)

    with monkeypatch.context() as patched:
        patched.setattr(harl_tf.callbacks.Checkpoint, "on_epoch_end", interrupt)
        assert command(*line) == 130


def test_interrupted_run_goes_on_with_what_it_is_told_to_change(
    records, tmp_path, capsys, tiny, monkeypatch
):
    """Two epochs of 3 steps become three of 6, with probes; one epoch is done."""
    run = tmp_path / "run"
    line = ("pretrain", records, run, "--recipe", "tiny", *SMALL[2:])
    interrupted_in_second_epoch(monkeypatch, *line, "--batch-size", 4, "--epochs", 2)
    other = (*line, "--batch-size", 2, "--epochs", 3, "--labeled", records)
    for change, sentence in (
        ("epochs", "with batch size 4, not 2; .* say --change batch_size"),
        ("epochs,batch-size", "with labeled False, not .* say --change labeled"),
        ("batch-size,labeled", "with epochs 2, not 3, .* say --change epochs"),
    ):
        capsys.readouterr()
        assert command(*other, "--change", change) == 2
        assert re.search(sentence, capsys.readouterr().err)
    assert command(*other, "--change", "epochs,batch-size,labeled") == 0
    out = capsys.readouterr().out
    assert "6 steps of 2 an epoch, 3 epochs" in out
    assert "learning rate up to 0.001875" in out
    assert "Continuing after epoch 1." in out
    assert [row["epoch"] for row in rows(run)] == ["1", "2", "3"]
    assert [row["knn_accuracy"] != "" for row in rows(run)] == [False, True, True]
    begun = json.loads((run / "run.json").read_text())
    assert begun["labeled_since"] == 1
    assert (begun["batch_size"], begun["epochs"]) == (2, 3)
    assert command(*other) == 0  # it is a run with these settings now
    assert "Trained already." in capsys.readouterr().out


@pytest.mark.slow
def test_change_that_is_refused_changes_nothing(records, tmp_path, capsys, tiny, monkeypatch):
    """One of three epochs is done; then two are, and one of one cannot be asked for."""
    run = tmp_path / "run"
    line = ("pretrain", records, run, "--recipe", "tiny", *SMALL)
    interrupted_in_second_epoch(monkeypatch, *line, "--epochs", 3)
    before = (run / "run.json").read_text()
    assert command(*line, "--epochs", 4, "--change", "epochs", "--seed", 5) == 2
    (run / "epoch_000001" / "state.json").rename(run / "aside")
    assert command(*line, "--epochs", 4, "--change", "epochs") == 2  # no state is whole
    (run / "aside").rename(run / "epoch_000001" / "state.json")
    assert (run / "run.json").read_text() == before
    (run / "epoch_000001").rename(run / "epoch_000002")
    capsys.readouterr()
    assert command(*line, "--epochs", 1, "--change", "epochs") == 2
    assert (
        "has come to epoch 2; --epochs 1 would end it before. Use 2 or" in capsys.readouterr().err
    )
    (run / "epoch_000002").rename(run / "epoch_000001")
    assert (run / "run.json").read_text() == before
    assert command(*line, "--epochs", 3) == 0


def test_seed_cannot_be_changed(tmp_path, capsys):
    with pytest.raises(SystemExit):
        command("pretrain", "records", tmp_path / "run", "--change", "seed")
    assert "'seed' is none of accumulate, batch_size, epochs" in capsys.readouterr().err


def test_trains_continues_and_exports(records, tmp_path, capsys, tiny, monkeypatch):
    """Twelve photographs make 3 batches of 4; 0.24 × 4 / 256 = 0.00375 is the peak.

    The first start is interrupted in the second of two epochs, the second goes on, the third finds
    everything done.
    """
    run = tmp_path / "run"
    line = ("pretrain", records, run, "--recipe", "tiny", *SMALL, "--epochs", 2)
    line = (*line, "--labeled", records)
    interrupted_in_second_epoch(monkeypatch, *line)
    out, err = capsys.readouterr()
    assert "12 photographs at 32 pixels, 3 steps of 4 an epoch, 2 epochs, 1 replica," in out
    assert "learning rate up to 0.00375" in out
    assert "before training: kNN " in out
    assert err == "\nInterrupted. Run the same command to continue from the last saved state.\n"
    assert len(rows(run)) == 2

    assert command(*line) == 0
    out = capsys.readouterr().out
    assert "Continuing after epoch 1." in out
    assert re.search(rf"^backbone: +{run / 'backbone'}$", out, flags=re.MULTILINE)
    assert [row["epoch"] for row in rows(run)] == ["1", "2"]
    assert all(0 <= float(row["knn_accuracy"]) <= 1 for row in rows(run))
    backbone = harl_tf.load_backbone(run / "backbone")
    assert sorted(backbone.output) == ["P1", "P2", "P3"]
    card = (run / "backbone" / "MODEL_CARD.md").read_text()
    assert "knn_accuracy" in card
    assert "batch_size" in card

    assert command(*line) == 0
    assert "Trained already." in capsys.readouterr().out
    assert keras.config.dtype_policy().name == "float32"


@pytest.mark.slow
def test_two_replicas(records, tmp_path, capsys, tiny, two_replicas, monkeypatch):
    """One epoch under a strategy, exported outside of its scope."""
    monkeypatch.setattr(
        harl_tf.distribution, "make_strategy", lambda name: two_replicas, raising=False
    )
    line = ("pretrain", records, tmp_path / "run", "--recipe", "tiny", *SMALL, "--epochs", 1)
    assert command(*line, "--strategy", "mirrored") == 0
    assert "2 replicas" in capsys.readouterr().out
    assert (tmp_path / "run" / "backbone" / "saved_model.pb").exists()


def test_recipe_file_says_what_was_changed(records, tmp_path, tiny, monkeypatch):
    monkeypatch.setattr(pretrain, "_train", lambda *_: None)
    monkeypatch.setattr(pretrain, "_export", lambda *_: None)
    assert command("pretrain", records, tmp_path / "run", "--recipe", "byol_small", *SMALL) == 0
    text = (tmp_path / "run" / "recipe.txt").read_text()
    assert re.search(r"batch_size +4 — changed for this run; the recipe has 128", text)
    # 12 photographs are 3 steps, and 50 / 3 = 16.7.
    assert re.search(r"passes_per_epoch +17 — changed for this run; the recipe has none", text)
    assert re.search(r"epochs +40 — ours: 2,000 steps or more", text)
    assert re.search(r"crops +both: .* — ours, settled by benchmarks/", text)
    assert json.loads((tmp_path / "run" / "run.json").read_text())["batch_size"] == 4


def refused(capsys, *line) -> str:
    """The one line that a command says on stderr when it refuses with exit code 2."""
    assert command(*line) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    return err


def test_unknown_recipe(capsys):
    err = refused(capsys, "pretrain", "RECORDS", "RUN", "--recipe", "harl_10")
    assert err == "error: There is no recipe 'harl_10'. Is it harl_100 or harl_1000 or harl_300?\n"


def test_missing_records(capsys, tmp_path):
    err = refused(capsys, "pretrain", tmp_path / "none", tmp_path / "run", "--recipe", "harl_small")
    assert "is not a folder of records" in err
    assert not (tmp_path / "run").exists()


def test_fewer_records_than_a_batch(capsys, records, tmp_path):
    line = ("pretrain", records, tmp_path / "run", "--recipe", "harl_small", "--batch-size", 64)
    err = refused(capsys, *line)
    assert "12 records, fewer than one batch of batch_size=64" in err


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (("--accumulate", 3), "A batch of 4 does not divide into 3 equal parts"),
        (("--image-size", 40), "a multiple of 16, such as 32; 40 is not"),
        (("--labeled", "nowhere"), "nowhere is not a folder of records"),
    ],
)
def test_sizes_that_do_not_go_together(capsys, records, tmp_path, line, sentence):
    start = ("pretrain", records, tmp_path / "run", "--recipe", "harl_small", *SMALL)
    assert sentence in refused(capsys, *start, *line)
    assert not (tmp_path / "run").exists()


def test_queue_that_the_batch_does_not_divide(capsys, records, tmp_path):
    for recipe in ("moco_v2_200", "hapicl_moco"):
        err = refused(
            capsys, "pretrain", records, tmp_path / "run", "--recipe", recipe, "--batch-size", 6
        )
        assert "keeps a queue of 65536 keys, which a batch must divide; 6 does not" in err


def test_batch_that_replicas_do_not_share(capsys, records, tmp_path, two_replicas, monkeypatch):
    monkeypatch.setattr(
        harl_tf.distribution, "make_strategy", lambda name: two_replicas, raising=False
    )
    line = ("pretrain", records, tmp_path / "run", "--recipe", "harl_small", "--batch-size", 5)
    err = refused(capsys, *line, "--strategy", "mirrored")
    assert "A batch of 5 does not divide into 2 equal parts, 2 for replicas" in err
    assert "such as 4" in err


def test_other_settings_than_those_of_the_run(capsys, records, tmp_path, monkeypatch):
    monkeypatch.setattr(pretrain, "_train", lambda *_: None)
    monkeypatch.setattr(pretrain, "_export", lambda *_: None)
    start = ("pretrain", records, tmp_path / "run", "--recipe", "simclr_small", *SMALL)
    with monkeypatch.context() as ended:
        ended.setattr(RunFolder, "finish", lambda _: None)  # within its first epoch
        assert command(*start, "--epochs", 1) == 0
    assert command(*start, "--epochs", 2) == 0  # nothing is saved yet
    (tmp_path / "run" / "epoch_000001").mkdir()
    capsys.readouterr()
    assert "was begun with epochs 2, not 3" in refused(capsys, *start, "--epochs", 3)
    other = [each if each != "simclr_small" else "byol_small" for each in (*start, "--epochs", 2)]
    assert "was begun with recipe simclr_small, not byol_small" in refused(capsys, *other)


@pytest.mark.slow
def test_other_definition_of_the_recipe(capsys, records, tmp_path, tiny, monkeypatch):
    """The folder notes the recipe's name; that it means something else by now, the checkpoint."""
    line = ("pretrain", records, tmp_path / "run", "--recipe", "tiny", *SMALL, "--epochs", 1)
    line = (*line, "--accumulate", 2)
    assert command(*line) == 0
    optimizer = dataclasses.replace(tiny.optimizer, momentum=0.5)
    assert isinstance(optimizer, SGDSettings)
    monkeypatch.setitem(RECIPES, "tiny", dataclasses.replace(tiny, optimizer=optimizer))
    capsys.readouterr()
    assert command(*line) == 2
    assert "belongs to a run with other settings: optimizer" in capsys.readouterr().err


def test_folder_of_something_else_is_left_alone(capsys, records, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    line = ("pretrain", records, tmp_path, "--recipe", "simclr_small", *SMALL)
    assert "is not empty and holds no run" in refused(capsys, *line)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_file_in_the_place_of_the_folder(capsys, records, tmp_path):
    (tmp_path / "file").write_text("")
    line = ("pretrain", records, tmp_path / "file", "--recipe", "simclr_small", *SMALL)
    assert "file is not a folder." in refused(capsys, *line)


def test_diverged_run_is_one_line_and_exit_code_1(capsys, records, tmp_path, tiny, monkeypatch):
    """A rate of 1e30 makes the weights infinite in the first epoch."""
    rate = dataclasses.replace(tiny.optimizer.rate, base=1e30, warmup_epochs=0)
    wild = dataclasses.replace(tiny, optimizer=dataclasses.replace(tiny.optimizer, rate=rate))
    monkeypatch.setitem(RECIPES, "tiny", wild)
    assert (
        command("pretrain", records, tmp_path / "run", "--recipe", "tiny", *SMALL, "--epochs", 1)
        == 1
    )
    err = capsys.readouterr().err
    assert err.startswith("error: Expected a finite loss and finite weights.")
    assert not (tmp_path / "run" / "backbone").exists()


@pytest.mark.slow
def test_as_a_process(tmp_path):
    """The module runs, and its exit code reaches the shell."""
    line = [sys.executable, "-m", "harl_tf", "pretrain", "RECORDS", "RUN", "--recipe", "harl_smal"]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        line, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith("error: There is no recipe 'harl_smal'.")
    assert "Traceback" not in done.stderr


def test_arguments_from_a_file(capsys, tmp_path):
    """One a line, anywhere on the command line; what comes later counts."""
    flags = tmp_path / "run.flags"
    flags.write_text("# as last week\n--recipe=harl_smal\n--epochs=2\n")
    line = ["pretrain", "RECORDS", "RUN", f"--flagfile={flags}", "--epochs=3"]
    arguments = parse_arguments(["harl_tf", *line])
    assert (arguments.recipe, arguments.epochs, arguments.records) == ("harl_smal", 3, "RECORDS")
    assert "There is no recipe 'harl_smal'." in refused(capsys, *line)


def test_recipe_of_the_users_own(records, tmp_path, tiny, monkeypatch):
    """The module lies in the current folder."""
    (tmp_path / "mine.py").write_text(
        "import dataclasses\nfrom harl_tf.recipes import RECIPES\n"
        "MINE = dataclasses.replace(RECIPES['tiny'], name='mine', title='my own')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    run = tmp_path / "run"
    line = ("pretrain", records, run, *SMALL, "--epochs", 1, "--recipe", "mine:MINE")
    assert command(*line) == 0
    assert (run / "recipe.txt").read_text().startswith("mine: my own\n")
    assert json.loads((run / "run.json").read_text())["recipe"] == "mine"
    assert (run / "backbone" / "saved_model.pb").exists()
