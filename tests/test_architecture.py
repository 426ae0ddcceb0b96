"""The rules that keep the tree readable."""

import ast
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parent.parent
SOURCES = sorted(
    path for package in ("harl_tf", "mask_generation") for path in (ROOT / package).rglob("*.py")
)

# A module may import from its own rank's package and from lower ranks.
RANKS = {
    "processor": 1,
    "onednn": 0,
    "distribution": 0,
    "schedules": 0,
    "losses": 1,
    "optimizers": 1,
    "layers": 2,
    "metrics": 2,
    "data": 3,
    "models": 4,
    "evaluation": 5,
    "callbacks": 6,
    "export": 6,
    "visualization": 6,
    "recipes": 7,
    "commands": 8,
    "__main__": 9,
}


def imports(path: pathlib.Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def of_package(path: pathlib.Path) -> str:
    return path.relative_to(ROOT).with_suffix("").parts[1]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_downwards(path):
    if path.parent.name == "mask_generation" or "mask_generation" in path.parts:
        ours = {name for name in imports(path) if name.split(".")[0] == "harl_tf"}
        allowed = ("harl_tf.data.records", "harl_tf.data.manifest")
        bad = {name for name in ours if not name.startswith(allowed)}
        bad -= {"harl_tf.data.records", "harl_tf.data.manifest"}
        assert not bad, "mask_generation may import the record schema and nothing else"
        return
    assert not any(name.split(".")[0] == "mask_generation" for name in imports(path))
    if path.parent == ROOT / "harl_tf" and path.name == "__init__.py":
        return
    own = of_package(path)
    for name in imports(path):
        parts = name.split(".")
        if parts[0] != "harl_tf" or len(parts) < 2 or parts[1] == own:
            continue
        assert RANKS[parts[1]] < RANKS[own], f"{own} imports {name}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_source_keeps_the_house_rules(path):
    text = path.read_text(encoding="utf-8")
    names = imports(path)
    assert not any("keras.src" in name or "tensorflow.keras" in name for name in names)
    assert "tf.keras" not in text
    assert "keras.src" not in text
    assert not re.search(r"^\s*(import harl_tf$|from \.)", text, flags=re.MULTILINE)
    assert not any(name.endswith(".*") for name in names)
    assert "tf.distribute." not in text or path.name == "distribution.py"
    assert ast.get_docstring(ast.parse(text)), "a module says what it owns"
    assert text.count("\n") <= 350, "one idea per file"
