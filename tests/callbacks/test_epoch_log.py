"""The log has each epoch once, however often the run was stopped."""

import pytest

from harl_tf.callbacks import EpochLog


@pytest.fixture
def log(tmp_path):
    return EpochLog(tmp_path / "log.csv")


def test_epoch_that_ends_again_replaces_its_row_and_later_ones(log):
    for epoch, loss in enumerate((3.0, 2.0, 1.0)):
        log.on_epoch_end(epoch, {"loss": loss})
    log.on_epoch_begin(1)  # a run that continues after its first epoch
    assert [row["loss"] for row in log.rows()] == [3.0, 2.0, 1.0]  # it may be refused yet
    log.on_epoch_end(1, {"loss": 2.5})
    assert log.path.read_text() == "epoch,loss\n1,3\n2,2.5\n"


def test_row_before_training_stays(log):
    log.append(0, {"knn_accuracy": 0.125})
    log.on_epoch_begin(0)
    log.on_epoch_end(0, {"knn_accuracy": 0.5})
    assert log.path.read_text() == "epoch,knn_accuracy\n0,0.125\n1,0.5\n"


def test_metric_that_is_not_measured_in_every_epoch(log):
    """A later metric has a column from then on, a missing one no value."""
    log.append(1, {"loss": 2.0, "knn_accuracy": 0.25})
    log.append(2, {"loss": 1.0, "other": 7.0})
    assert log.path.read_text() == "epoch,loss,knn_accuracy,other\n1,2,0.25,\n2,1,,7\n"
    assert log.last() == {"loss": 1.0, "other": 7.0}


def test_log_of_another_run_is_begun_anew(log):
    """Without its columns."""
    log.append(1, {"other": 2.0})
    log.on_epoch_end(0, {"loss": 3.0})
    assert log.path.read_text() == "epoch,loss\n1,3\n"


def test_rows_up_to_an_epoch(tmp_path):
    """Cells that were not measured are left out."""
    log = EpochLog(tmp_path / "log.csv")
    assert log.rows() == []
    log.append(1, {"loss": 2.0, "knn_accuracy": 0.25})
    log.append(2, {"loss": 1.0})
    assert log.rows() == [{"loss": 2.0, "knn_accuracy": 0.25}, {"loss": 1.0}]
    assert log.rows(1) == [{"loss": 2.0, "knn_accuracy": 0.25}]
    assert log.rows(0) == []


@pytest.mark.parametrize("line", ["x,1", "²,1"])
def test_damaged_line_is_a_sentence(tmp_path, line):
    log = EpochLog(tmp_path / "log.csv")
    log.append(1, {"loss": 1.0})
    log.path.write_text(log.path.read_text() + line + "\n3,1\n")
    with pytest.raises(ValueError, match=r"log\.csv to begin with the number of its epoch"):
        log.on_train_begin()
