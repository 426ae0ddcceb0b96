"""What can be given, and one line for what cannot."""

import pytest

from harl_tf.commands import parse_arguments


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ([], ["pretrain", "recipes", "foreground masks"]),
        (["recipes"], ["RECIPE", "source"]),
        (
            ["pretrain"],
            [
                "--recipe",
                "hapicl_small",
                "RECORDS",
                "RUN",
                "--epochs",
                "--steps",
                "--minutes",
                "--hours",
                "--batch-size",
                "--image-size",
                "--seed",
                "--labeled",
                "--precision",
                "--accumulate",
                "--strategy",
                "multi-worker",
                "--from",
                "--from-values",
            ],
        ),
    ],
)
def test_help_names_what_can_be_given(capsys, line, words):
    with pytest.raises(SystemExit) as end:
        parse_arguments(["harl_tf", *line, "--help"])
    assert end.value.code == 0
    printed = capsys.readouterr().out
    assert printed.startswith("usage: python -m harl_tf")
    assert all(word in printed for word in words)


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ([], "required: COMMAND"),
        (["pretrian"], "invalid choice: 'pretrian'"),
        (["pretrain", "records"], "required: RUN"),
        (["pretrain", "a", "b", "--epoch", "3"], "unknown argument --epoch; is it --epochs?"),
        (["pretrain", "a", "b", "--batchsize=3"], "is it --batch-size"),
        (["pretrain", "a", "b", "d"], "unknown argument d"),
        (["pretrain", "a", "b", "--epochs", "0"], "expected 1 or more, received 0"),
        (["pretrain", "a", "b", "--epochs", "x"], "expected a whole number, received x"),
        (["pretrain", "a", "b", "--strategy", "two"], "expected one or mirrored or multi"),
        (["pretrain", "a", "b", "--precision", "int8"], "received int8"),
        (["pretrain", "a", "b", "--flagfile=no/such/file"], "no/such/file"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(capsys, line, error):
    with pytest.raises(SystemExit) as end:
        parse_arguments(["harl_tf", *line])
    assert end.value.code == 2
    printed = capsys.readouterr().err
    assert error in printed
    assert printed.startswith("error: ")
    assert printed.count("\n") == 1


def test_defaults_are_the_recipes():
    arguments = parse_arguments(["harl_tf", "pretrain", "RECORDS", "RUN"])
    assert arguments.recipe == "hapicl_small"
    assert (arguments.epochs, arguments.batch_size, arguments.image_size) == (None, None, None)
    assert (arguments.seed, arguments.accumulate, arguments.strategy) == (0, 1, "one")
