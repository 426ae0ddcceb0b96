"""The list and the table."""

from harl_tf.commands import main, parse_arguments
from harl_tf.recipes import RECIPES


def printed(capsys, *line) -> str:
    assert main(parse_arguments(["harl_tf", "recipes", *line])) == 0
    return capsys.readouterr().out


def test_list_has_every_recipe(capsys):
    out = printed(capsys)
    names = [line.split()[0] for line in out.split("\n\n")[0].splitlines()]
    assert names == list(RECIPES)


def test_table_has_value_and_source_of_every_line_and_the_notes(capsys):
    out = printed(capsys, "harl_1000")
    for line in RECIPES["harl_1000"].lines():
        row = next(row for row in out.splitlines() if row.startswith(f"{line.name} "))
        assert row.split(maxsplit=1)[1] == f"{line.value} — {line.source}"
    assert "No vertical flips" in out


def test_unknown_recipe(capsys):
    assert main(parse_arguments(["harl_tf", "recipes", "pixpr"])) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: There is no recipe 'pixpr'. Is it pixpro_")
