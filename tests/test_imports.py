"""Who may import whom, who prints, and what a quick command must not load: DESIGN §1, read off the source."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

import rnncli

ROOT = Path(rnncli.__file__).parent
STANDARD = set(sys.stdlib_module_names)

# The picture in docs/architecture.md, from the top of the page down: a room may import the rooms below it, none beside
# it and none above. An import for the type checker alone is an import.
PAGE = (
    ("__main__",),
    ("cli",),
    ("render", "inspection", "training"),
    ("tasks",),
    ("parallel",),
    ("data",),
    ("core",),
    ("page_results",),
    ("results",),
    ("model_file", "record", "config", "memory", "blas"),
    ("storage", "schema", "machine"),
    ("stopping", "clean"),
    ("errors",),
)
# Rooms that know fewer of those below them.
KNOWS = {"core": set(), "render": {"results", "page_results", "errors", "stopping", "clean"}}
# Packages of others, and who imports them.
OTHERS = {
    "numpy": {"cli", "inspection", "training", "tasks", "parallel", "data", "core", "model_file"},
    "markupsafe": {"render"},
    "matplotlib": {"render"},
    "rich": {"render", "cli", "clean"},
    "typer": {"cli"},
    "yaml": {"config"},
}
LEVEL = {room: level for level, rooms in enumerate(PAGE) for room in rooms}


class Import(NamedTuple):
    """One imported name, as ``package.module.name``."""

    name: str
    line: int


@cache
def modules() -> dict[str, ast.Module]:
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = ("rnncli", *path.relative_to(ROOT).with_suffix("").parts)
        name = ".".join(parts).removesuffix(".__init__")
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def imports(node: ast.AST) -> Iterator[Import]:
    """All of them: at the top, in functions, and for the type checker alone."""
    for child in ast.walk(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, child.lineno) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "relative imports would pass this test by"
            yield from (Import(f"{child.module}.{alias.name}", child.lineno) for alias in child.names)


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def room(module: str) -> str:
    """``tasks`` of ``rnncli.tasks.tag.model``; nothing of the package itself."""
    return module.split(".")[1] if "." in module else ""


def folder(module: str) -> str:
    """The innermost folder, ``rnncli.core.cells`` of ``rnncli.core.cells.gru`` and of itself; or a room of one file."""
    is_folder = (ROOT.parent / module.replace(".", "/")).is_dir()
    return module if is_folder or module.count(".") == 1 else module.rpartition(".")[0]


def target(name: str) -> str | None:
    """The module of this package that an imported name is of."""
    while name and name not in modules():
        name = name.rpartition(".")[0]
    return name or None


@cache
def graph() -> dict[str, set[str]]:
    """Module → the modules of this package that it imports."""
    return {
        module: {found for one in imports(tree) if (found := target(one.name)) and found != module}
        for module, tree in modules().items()
    }


def circle(arrows: Mapping[str, set[str]]) -> list[str]:
    """The names on a circle of the arrows, if there is one."""
    done: set[str] = set()

    def follow(name: str, path: list[str]) -> list[str]:
        if name in path:
            return path[path.index(name) :]
        if name in done:
            return []
        for other in sorted(arrows.get(name, ())):
            if found := follow(other, [*path, name]):
                return found
        done.add(name)
        return []

    return next((found for name in sorted(arrows) if (found := follow(name, []))), [])


def test_every_room_is_on_the_page() -> None:
    assert len(modules()) > 50
    assert {"rnncli", "rnncli.core.cells.lstm", "rnncli.cli.main", "rnncli.clean"} <= modules().keys()
    assert {room(module) for module in modules()} == {*LEVEL, ""}


@pytest.mark.parametrize("module", modules())
def test_imports_point_down_the_page(module: str) -> None:
    own = room(module)
    for found in imports(modules()[module]):
        other = target(found.name)
        said = f"{module}:{found.line} imports {found.name}"
        if other is None:
            package = found.name.split(".")[0]
            assert package in STANDARD or own in OTHERS.get(package, ()), said
        elif own and room(other) != own:
            assert room(other) in KNOWS.get(own, {name for name in LEVEL if LEVEL[name] > LEVEL[own]}), said


def test_no_folder_is_on_a_circle() -> None:
    folders: dict[str, set[str]] = {}
    for module, others in graph().items():
        own = folder(module)
        folders.setdefault(own, set()).update(folder(other) for other in others if folder(other) != own)
    assert circle(folders) == []


def test_no_file_is_on_a_circle() -> None:
    assert circle(graph()) == []


def test_the_rules_would_notice() -> None:
    source = "if TYPE_CHECKING:\n    import a\nimport b.c\ndef f():\n    from d import e, g\n"
    assert set(imports(ast.parse(source))) == {Import("a", 2), Import("b.c", 3), Import("d.e", 5), Import("d.g", 5)}
    assert circle({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c"]
    assert folder("rnncli.core.cells.gru") == folder("rnncli.core.cells") == "rnncli.core.cells"
    assert (room("rnncli.core.cells.gru"), room("rnncli")) == ("core", "")


def test_only_the_cli_prints_or_exits() -> None:
    for module, tree in modules().items():
        calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        # A forked worker must not run what the first process has still to do; a signal must not be lost on the way out.
        if module in ("rnncli.parallel.processes", "rnncli.stopping", "rnncli.__main__"):
            calls -= {"os._exit"}
        forbidden = {"print", "input", "exit", "quit", "breakpoint", "sys.exit", "os._exit", "sys.stdout.write"}
        forbidden |= {"sys.stderr.write", "eval", "exec", "__import__", "importlib.import_module", "pickle.loads"}
        allowed = {"sys.exit"} if module == "rnncli.__main__" or within(module, "rnncli.cli") else set()
        assert calls & forbidden <= allowed, module


def test_nothing_draws_from_a_global_generator() -> None:
    for module, tree in modules().items():
        used = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        drawn = {name for name in used if within(name, "np.random")} - {
            "np.random",
            "np.random.Generator",
            "np.random.default_rng",
        }
        assert not drawn, module
        seeds = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "np.random.default_rng" and not node.args
        ]
        assert not seeds, f"{module}: a generator without a seed"


def test_nothing_imports_click() -> None:
    names = {found.name.split(".")[0] for tree in modules().values() for found in imports(tree)}
    assert "numpy" in names
    assert "click" not in names


SLOW = ("numpy", "yaml", "markupsafe", "safetensors")


@pytest.mark.parametrize(
    "command",
    [
        "import rnncli; assert rnncli.__version__",
        "from rnncli.cli.main import main; assert main(['--help']) == 0; assert 'rnncli.storage' not in sys.modules",
        "from rnncli.cli.main import main; assert {main([name, '-h']) for name in "
        "('train', 'predict', 'evaluate', 'inspect', 'tokenize')} == {0}",
        "from rnncli.cli.main import main; assert main(['train', '--hiden', '3']) == 2",
        "import rnncli.config, rnncli.errors, rnncli.cli.views.table, rnncli.render.tables",
    ],
)
def test_what_is_quick_loads_no_numpy(command: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {command}\nassert not set({SLOW}) & set(sys.modules)"],
        env=os.environ | {"COLUMNS": "100"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_numpy_is_there_when_it_is_needed(tmp_path: Path) -> None:
    """Lest the test above passes because nothing is ever imported."""
    command = "import sys, rnncli; rnncli.tokenize('so good'); assert 'numpy' in sys.modules"
    subprocess.run([sys.executable, "-c", command], cwd=tmp_path, timeout=60, check=True)


def test_scripts_import_names_that_exist() -> None:
    """Scripts that the suite does not run (benchmarks, the browser, LaTeX, the fuzz) would fail at their first line."""
    tests = Path(__file__).parent
    ours, wrong = modules(), []
    stand_ins = {path.stem for path in (tests / "stand_ins").rglob("*.py")}  # beside our own modules while a test runs
    for path in sorted([*tests.rglob("*.py"), *(tests.parent / "benchmarks").glob("*.py")]):
        for name, line in imports(ast.parse(path.read_text(encoding="utf-8"))):
            module, _, last = name.rpartition(".")
            if not within(module, "rnncli") or name in ours or stand_ins & {last, module.rpartition(".")[2]}:
                continue
            if module not in ours or last not in names_at_top(ours[module]):
                wrong.append(f"{path.name}:{line}: {name}")
    assert wrong == []


def names_at_top(module: ast.Module) -> set[str]:
    """What can be imported from a module: its classes, functions and variables, and what it imports itself."""
    names = {found.name.rpartition(".")[2] for found in imports(module)}
    for node in module.body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            names.add(node.name)
        names |= {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
    return names
