"""The rules that keep the tree readable: imports run one way, and every room has its floor."""

import ast
import graphlib
import importlib
import pathlib
import re
import shutil
from collections.abc import Iterator

import pytest

ROOT = pathlib.Path(__file__).parent.parent
PACKAGES = ("harl_tf", "mask_generation")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

# Each room may import from its own and from those of lower floors.
FLOORS = {
    "harl_tf": [
        ["distribution", "files", "onednn", "schedules"],
        ["losses", "optimizers", "processor"],
        ["layers", "metrics", "precision"],
        ["backbones", "data"],
        ["pretraining"],
        ["methods"],
        ["evaluation", "export"],
        ["callbacks", "recipes", "zoo"],
        ["runs"],
        ["reports"],
        ["commands"],
        ["__main__"],
    ],
    "mask_generation": [
        ["compiled", "interrupts", "left_out", "reason", "result", "whole_file"],
        ["lock"],
        ["workers"],
        ["image", "inputs", "networks"],
        ["cut", "drfi"],
        ["methods"],
        ["foreground"],
        ["conversion", "evaluation", "previews"],
        ["training"],
        ["commands"],
        ["__main__"],
    ],
}
OF_HARL_TF = {"harl_tf.data.manifest", "harl_tf.data.records"}
"""What ``mask_generation`` may know of ``harl_tf``: the schema of records."""

LOCK, WHOLE_FILE = "mask_generation.lock", "mask_generation.whole_file"
OF_MASK_GENERATION = {
    "harl_tf.files": {LOCK, WHOLE_FILE},
    "harl_tf.callbacks": {LOCK},
    "harl_tf.runs": {WHOLE_FILE},
    "harl_tf.evaluation": {
        "mask_generation.inputs.folder",
        "mask_generation.inputs.formats.exif",
        "mask_generation.inputs.reading",
    },
    "harl_tf.commands": {
        LOCK,
        "mask_generation.commands.line",
        "mask_generation.inputs.file_names",
        "mask_generation.inputs.reading",
        "mask_generation.inputs.sources",
    },
}
"""What rooms of ``harl_tf`` may use of ``mask_generation``: how a file is written whole, the lock
of a folder, how photographs are read, and in commands, how a line is."""

Graph = dict[str, set[str]]


def import_graph(root: pathlib.Path) -> Graph:
    """Modules of both packages, and the modules that each of them imports, wherever it does so."""
    paths = {
        module_name(path.relative_to(root)): path
        for package in PACKAGES
        for path in (root / package).rglob("*.py")
    }
    return {
        name: {target for each in imports(path) if (target := known(each, paths)) != name} - {None}
        for name, path in paths.items()
    }


def known(name: str, modules: dict[str, pathlib.Path]) -> str | None:
    """The module that a name means: itself, or what holds it."""
    for module in (name, name.rpartition(".")[0]):
        if module in modules and module not in PACKAGES:
            return module
    return None


def module_name(path: pathlib.Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def imports(path: pathlib.Path) -> set[str]:
    """Every dotted name that a module imports, wherever it does so."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def upward_imports(graph: Graph) -> list[str]:
    """Sentences on every import that does not point downwards, and on rooms without a floor."""
    floor_of = {
        f"{package}.{room}": floor
        for package, floors in FLOORS.items()
        for floor, rooms in enumerate(floors)
        for room in rooms
    }
    found = []
    for name, imported in graph.items():
        room = room_of(name)
        if name in PACKAGES:  # the package's own list of names
            continue
        if room not in floor_of:
            found.append(f"{room} has no floor")
            continue
        for other in imported:
            target = room_of(other)
            if target.split(".")[0] != room.split(".")[0]:
                allowed = OF_HARL_TF
                if room.startswith("harl_tf"):
                    allowed = OF_MASK_GENERATION.get(room, set())
                if other not in allowed:
                    found.append(f"{name} imports {other} of the other package")
            elif target != room and floor_of.get(target, -1) >= floor_of[room]:
                found.append(f"{name} imports {other}, which is not below it")
    return found


def room_of(module: str) -> str:
    return ".".join(module.split(".")[:2])


def circle(graph: Graph) -> list[str]:
    """A circle of modules that import each other; empty if there is none."""
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return error.args[1]
    return []


def test_imports_point_downwards():
    assert upward_imports(import_graph(ROOT)) == []


def test_no_module_imports_itself_by_a_detour():
    assert circle(import_graph(ROOT)) == []


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("harl_tf/losses/simclr.py", "from harl_tf.methods import SimCLR"),
        ("harl_tf/pretraining/step.py", "import harl_tf.recipes.recipe"),
        ("harl_tf/data/records.py", "from mask_generation.result import check_rgb"),
        ("mask_generation/cut/otsu.py", "from mask_generation import foreground"),
        ("mask_generation/drfi/pixels.py", "from mask_generation.training.drfi import train"),
        ("mask_generation/result.py", "from harl_tf.losses import nt_xent"),
    ],
)
def test_planted_upward_import_is_found(tmp_path, file, line):
    """Also inside a function."""
    plant(tmp_path, file, f"\n\ndef later():\n    {line}\n")
    sentences = upward_imports(import_graph(tmp_path))
    assert sentences
    assert all(file.removesuffix(".py").replace("/", ".") in each for each in sentences)


def test_planted_circle_is_found(tmp_path):
    """Within one room, where floors say nothing."""
    plant(tmp_path, "harl_tf/losses/cosine.py", "\nfrom harl_tf.losses import simclr\n")
    plant(tmp_path, "harl_tf/losses/simclr.py", "\nfrom harl_tf.losses import cosine\n")
    assert {"harl_tf.losses.cosine", "harl_tf.losses.simclr"} <= set(circle(import_graph(tmp_path)))


def test_planted_room_without_a_floor_is_found(tmp_path):
    plant(tmp_path, "harl_tf/utils.py", '"""Anything."""\n')
    assert upward_imports(import_graph(tmp_path)) == ["harl_tf.utils has no floor"]


def plant(root: pathlib.Path, file: str, text: str) -> None:
    """Adds a line to a copy of the tree."""
    for package in PACKAGES:
        if not (root / package).exists():
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / package, root / package, ignore=ignore)
    with (root / file).open("a", encoding="utf-8") as source:
        source.write(text)


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


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_can_be_imported(package):
    """Nothing is imported that is not there, by name or as a module."""
    for path in (ROOT / package).rglob("*.py"):
        if path.name != "__main__.py":
            importlib.import_module(module_name(path.relative_to(ROOT)))


def test_importing_a_module_reads_neither_flags_nor_environment():
    """But for ``__main__``, which is run, and a default that is handed to TensorFlow."""
    for path in SOURCES:
        if path.name in ("__main__.py", "onednn.py"):
            continue
        names = set()
        for node in run_on_import(ast.parse(path.read_text(encoding="utf-8"))):
            names |= {str(getattr(node, key, None)) for key in ("id", "attr", "name")}
        assert not names & {"FLAGS", "argv", "environ", "getenv"}, path


def run_on_import(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a module that run when it is imported: all but the bodies of functions."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.Lambda):
            yield child
            yield from run_on_import(child)
