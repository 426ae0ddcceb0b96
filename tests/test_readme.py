"""The README and the documents say what is there."""

import ast
import functools
import pathlib
import re

import pytest

import harl_tf
import mask_generation

ROOT = pathlib.Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = README + "".join(
    path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md"))
)
BLOCKS = re.findall(r"```python\n(.*?)```", DOCUMENTS, flags=re.DOTALL)


def attribute_paths(code: str) -> set[str]:
    return {
        ast.unparse(node)
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Attribute)
        and re.match(r"(harl_tf|mask_generation)[.\w]*$", ast.unparse(node))
    }


@pytest.mark.parametrize("code", BLOCKS)
def test_every_name_in_the_documents_exists(code):
    packages = {"harl_tf": harl_tf, "mask_generation": mask_generation}
    for path in attribute_paths(code):
        package, *names = path.split(".")
        functools.reduce(getattr, names, packages[package])


def test_mask_example_runs_as_it_stands(capsys):
    """A 40×40 square in 120×160: a twelfth of the pixels, .083."""
    code = next(code for code in BLOCKS if "foreground_mask" in code)
    exec(compile(code, "docs/masks.md", "exec"), {})
    assert capsys.readouterr().out.startswith("(120, 160) uint8 0.08")


def test_files_named_in_the_tree_exist():
    for name in re.findall(r"`((?:tests|examples|benchmarks)/[\w/.]+)`", DOCUMENTS):
        assert (ROOT / name).exists(), name
