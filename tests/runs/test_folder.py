"""A run's folder knows what it was begun with."""

import pytest

from harl_tf.runs import RunError, RunFolder


@pytest.fixture
def run(tmp_path):
    run = RunFolder(tmp_path / "run")
    run.begin({"epochs": 2, "batch_size": 64}, "a recipe\n")
    return run


def test_settings_and_recipe_can_be_read_again(run):
    assert run.read_settings() == {"epochs": 2, "batch_size": 64}
    assert run.recipe.read_text() == "a recipe\n"


def test_run_without_a_saved_epoch_may_begin_with_other_settings(run):
    run.begin({"epochs": 3, "batch_size": 64}, "another\n")
    assert run.read_settings()["epochs"] == 3


def test_run_with_a_saved_epoch_goes_on_with_its_own_settings_only(run):
    (run.path / "epoch_000001").mkdir()
    run.begin({"epochs": 2, "batch_size": 64}, "")
    with pytest.raises(RunError, match="begun with batch size 64, not 32; use that"):
        run.begin({"epochs": 2, "batch_size": 32}, "")


def test_finished_run_without_its_epochs_is_not_begun_anew(run):
    """Somebody has deleted them to save space; the backbone is still there."""
    run.finish()
    for settings in ({"epochs": 2, "batch_size": 64}, {"epochs": 3}):
        with pytest.raises(RunError, match=r"finished run without its saved epochs .* is not over"):
            run.begin(settings, "")


def test_run_of_an_earlier_version_spelled_it_otherwise(run):
    run.settings.write_text('{"epochs": 2, "labelled": "abc"}')
    (run.path / "epoch_000001").mkdir()
    run.begin({"epochs": 2, "labeled": "abc"}, "")
    with pytest.raises(RunError, match=r"labeled abc, not def; .* say --change labeled"):
        run.begin({"epochs": 2, "labeled": "def"}, "")


def test_damaged_settings_are_named(run):
    run.settings.write_text("{")
    with pytest.raises(RunError, match=r"run\.json is damaged"):
        run.read_settings()


def test_folder_without_a_run(tmp_path):
    with pytest.raises(RunError, match="holds no run"):
        RunFolder(tmp_path).read_settings()


def test_finished_run_may_go_on_with_more_epochs_and_nothing_else(run):
    run.begin({"epochs": 2, "batch_size": 64}, "", {"parts": [2]})
    (run.path / "epoch_000002").mkdir()
    longer = {"epochs": 5, "batch_size": 64}
    with pytest.raises(RunError, match="begun with epochs 2, not 5"):
        run.begin(longer, "")
    run.finish()
    assert run.finished_parts() == [2]
    with pytest.raises(RunError, match="batch size 64, not 32"):
        run.begin({"epochs": 5, "batch_size": 32}, "")
    run.begin(longer, "longer\n", {"parts": [2, 5]})
    assert run.read_settings() == {**longer, "parts": [2, 5]}
    assert run.recipe.read_text() == "longer\n"


def test_part_without_a_saved_epoch_may_begin_otherwise(run):
    run.begin({"epochs": 2}, "", {"parts": [2]})
    (run.path / "epoch_000002").mkdir()
    assert run.finished_parts() == []  # saved, but its results may not be written
    run.finish()
    run.begin({"epochs": 50}, "", {"parts": [2, 50]})
    assert run.finished_parts() == [2]
    run.begin({"epochs": 5}, "", {"parts": [2, 5]})
    (run.path / "epoch_000003").mkdir()
    assert run.finished_parts() == []
    with pytest.raises(RunError, match="begun with epochs 5, not 6"):
        run.begin({"epochs": 6}, "", {"parts": [2, 6]})


@pytest.mark.parametrize("left", ["run.json.unfinished-a1", "recipe.txt.unfinished-b2"])
def test_begin_that_was_killed_may_be_repeated(tmp_path, left):
    (tmp_path / left).touch()
    run = RunFolder(tmp_path)
    run.begin({"epochs": 2}, "a recipe\n")
    run.recipe.unlink()  # killed between the two
    run.begin({"epochs": 2}, "a recipe\n")
    assert run.recipe.read_text() == "a recipe\n"
