"""Who may import whom, who prints, and what a quick command must not load: DESIGN §1, read off the source."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

import rnncli

ROOT = Path(rnncli.__file__).parent
STANDARD = set(sys.stdlib_module_names)

# What the modules under a name may import at run time, beside the standard library and what stands under that name
# itself. Shorter names are for all that no longer one speaks of.
ALLOWED: dict[str, set[str]] = {
    "rnncli.core": {"numpy"},
    "rnncli.data": {"numpy", "rnncli.errors", "rnncli.memory"},
    "rnncli.errors": set(),
    "rnncli.clean": {"rich"},  # how many cells of a terminal a character takes
    "rnncli.storage": {"rnncli.errors", "rnncli.stopping"},
    "rnncli.schema": set(),
    "rnncli.record": {"rnncli.schema"},
    "rnncli.model_file": {"numpy", "rnncli.storage", "rnncli.errors"},
    "rnncli.config": {"yaml", "rnncli.errors", "rnncli.storage"},
    "rnncli.machine": set(),
    "rnncli.memory": {"rnncli.errors", "rnncli.machine"},
    "rnncli.blas": set(),
    "rnncli.results": {"rnncli.record"},
    # What inspection finds and render draws: neither may know the other.
    "rnncli.page_results": {"rnncli.results"},
    "rnncli.stopping": set(),
    "rnncli.parallel": {"numpy", "rnncli.core", "rnncli.errors", "rnncli.stopping"},
    # A task is everything from the records to how an answer looks, a model and its file included.
    "rnncli.tasks": {
        *("numpy", "rnncli.config", "rnncli.core", "rnncli.data", "rnncli.errors", "rnncli.machine", "rnncli.memory"),
        *(
            "rnncli.parallel",
            "rnncli.results",
            "rnncli.clean",
            "rnncli.record",
            "rnncli.schema",
        ),
        "rnncli.tasks.model",
    },
    "rnncli.inspection": {
        "numpy",
        "rnncli.config",
        "rnncli.core",
        "rnncli.data",
        "rnncli.tasks",
        "rnncli.errors",
        "rnncli.results",
        "rnncli.page_results",
    },
    "rnncli.tasks.model": {
        *("numpy", "rnncli.config", "rnncli.core", "rnncli.data", "rnncli.errors"),
        *("rnncli.model_file", "rnncli.tasks", "rnncli.results", "rnncli.record", "rnncli.schema", "rnncli.storage"),
    },
    "rnncli.training": {
        *("numpy", "rnncli.config", "rnncli.core", "rnncli.data", "rnncli.errors", "rnncli.tasks.model"),
        *("rnncli.model_file", "rnncli.parallel", "rnncli.storage", "rnncli.tasks", "rnncli.record", "rnncli.schema"),
        *("rnncli.clean", "rnncli.results"),
    },
    "rnncli.render": {
        "rich",
        "markupsafe",
        "rnncli.clean",
        "rnncli.errors",
        "rnncli.stopping",
        "rnncli.results",
        "rnncli.page_results",
    },
    "rnncli": set(),
    "rnncli.__main__": {"rnncli.cli", "rnncli.stopping"},
    "rnncli.cli": {
        *("numpy", "typer", "rnncli.config", "rnncli.data", "rnncli.errors", "rnncli.tasks.model", "rnncli.render"),
        *("rnncli.storage", "rnncli.tasks", "rnncli.training", "rnncli.inspection"),
        *("rnncli.machine", "rnncli.blas", "rnncli.parallel", "rnncli.stopping", "rnncli.results", "rnncli.schema"),
        *("rnncli.clean", "rnncli.record"),
    },
}


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
    """Those at run time, in functions too; not those for the type checker alone."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, child.lineno) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "relative imports would pass this test by"
            yield from (Import(f"{child.module}.{alias.name}", child.lineno) for alias in child.names)
        else:
            yield from imports(child)


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def rule(module: str) -> str:
    return max((name for name in ALLOWED if within(module, name)), key=len)


def test_there_is_something_to_read() -> None:
    assert len(modules()) > 50
    assert {"rnncli", "rnncli.core.cells.lstm", "rnncli.cli.main", "rnncli.clean"} <= modules().keys()
    assert {rule(module) for module in modules()} == ALLOWED.keys()


@pytest.mark.parametrize("module", modules())
def test_imports_point_one_way(module: str) -> None:
    own = rule(module)
    allowed = ALLOWED[own] | ({own} if own != "rnncli" else set())
    for found in imports(modules()[module]):
        outside = found.name.split(".")[0]
        assert outside in STANDARD - {"rnncli"} or any(within(found.name, name) for name in allowed), (
            f"{module}:{found.line} imports {found.name}"
        )


def test_the_rules_would_notice() -> None:
    source = "if TYPE_CHECKING:\n    import a\nimport b.c\ndef f():\n    from d import e, g\n"
    assert list(imports(ast.parse(source))) == [
        Import("b.c", 3),
        Import("d.e", 5),
        Import("d.g", 5),
    ]


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
        "from rnncli.cli.main import main; assert main(['--version']) == 0",
        "from rnncli.cli.main import main; assert main(['train', '--hiden', '3']) == 2",
        "import rnncli.config, rnncli.errors, rnncli.cli.views.model, rnncli.render.tables",
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
