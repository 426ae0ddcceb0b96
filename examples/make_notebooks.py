"""Makes ``examples/notebooks`` from the examples, so that both say the same.

    python examples/make_notebooks.py

A notebook has the docstring, the imports, the settings and the body of ``main``.
"""

import ast
import json
import pathlib
import textwrap
from typing import Any

FOLDER = pathlib.Path(__file__).parent
EXAMPLES = ("classify", "detect", "finetune_savedmodel_without_harl_tf", "retrieve", "segment")
BACKBONE = "../../pretrained/hapicl_resnet10_caltech101"


def notebook(source: str) -> dict[str, Any]:
    """The notebook of an example.

    Args:
        source: Its code.
    """
    parts = ast.parse(source).body
    description = ast.get_docstring(ast.parse(source)) or ""
    imports = [each for each in parts if isinstance(each, ast.Import | ast.ImportFrom)]
    settings = [each for each in parts if isinstance(each, ast.Assign)]
    (main,) = (each for each in parts if isinstance(each, ast.FunctionDef))
    lines = source.splitlines()
    first, last = main.body[1], main.body[-1]
    body = textwrap.dedent("\n".join(lines[first.lineno - 1 : last.end_lineno]))
    head = ["import sys", "", 'sys.path.append("..")  # the examples: sample_data']
    head += [lines[each.lineno - 1] for each in imports if "absl" not in lines[each.lineno - 1]]
    given = [f'argv = ["", "{BACKBONE}"]  # and what else is described above']
    given += [_setting(each, source) for each in settings]
    texts = [head, given, [body.replace("EPOCHS.value", "EPOCHS")]]
    return {
        "cells": [
            {"cell_type": "markdown", "id": "about", "metadata": {}, "source": description},
            *(_code(f"part-{index}", "\n".join(text)) for index, text in enumerate(texts)),
        ],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _setting(each: ast.Assign, source: str) -> str:
    """As it stands; of a command's option the default."""
    value = each.value
    if isinstance(value, ast.Call) and ast.unparse(value.func).startswith("flags."):
        return f"{ast.unparse(each.targets[0])} = {ast.unparse(value.args[1])}"
    return ast.get_source_segment(source, each) or ""


def _code(name: str, text: str) -> dict[str, Any]:
    empty: dict[str, Any] = {"execution_count": None, "metadata": {}, "outputs": []}
    return {"cell_type": "code", "id": name, "source": text, **empty}


def text_of(example: str) -> str:
    """The file of an example's notebook."""
    source = (FOLDER / f"{example}.py").read_text(encoding="utf-8")
    return json.dumps(notebook(source), indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Writes the notebooks."""
    (FOLDER / "notebooks").mkdir(exist_ok=True)
    for example in EXAMPLES:
        path = FOLDER / "notebooks" / f"{example}.ipynb"
        path.write_text(text_of(example), encoding="utf-8")


if __name__ == "__main__":
    main()
