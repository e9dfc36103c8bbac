"""What a task says of itself is said in its package and its adapter, and nowhere else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from inspection.models import TEXTS, model

import rnncli
from rnncli.config import TASKS
from rnncli.errors import UsageError
from rnncli.inspection.adapters import Adapter, adapter_of

ROOT = Path(rnncli.__file__).parent
ROOMS = ("core", "inspection", "parallel", "render", "training")


def modules() -> Iterator[tuple[str, ast.Module]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if path.parent != ROOT / "inspection" / "adapters":
                yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def names_a_task(tree: ast.Module) -> list[str]:
    """Tasks by name, their packages, and what is not done for some."""
    found = []
    for node in ast.walk(tree):
        compared = node.comparators if isinstance(node, ast.Compare) else []
        compared += [key for key in node.keys if key is not None] if isinstance(node, ast.Dict) else []
        values = [one.value for each in compared for one in ast.walk(each) if isinstance(one, ast.Constant)]
        found += [f"{node.lineno}: {value!r}" for value in values if value in TASKS]
        if isinstance(node, ast.ImportFrom):
            package = ".".join(str(node.module).split(".")[:3])
            found += [f"{node.lineno}: {node.module}"] * (any(package == row.package for row in TASKS.values()))
        if isinstance(node, ast.Name) and node.id == "NotImplementedError":
            found.append(f"{node.lineno}: {node.id}")
    return found


def test_no_task_is_named_outside_its_package_and_its_adapter() -> None:
    assert {name: names for name, tree in modules() if (names := names_a_task(tree))} == {}


def test_the_rule_would_notice() -> None:
    source = 'from rnncli.tasks.tag.model import TaggerModel\nif model.task == "lm":\n    raise NotImplementedError\n'
    assert names_a_task(ast.parse(source)) == ["1: rnncli.tasks.tag.model", "2: 'lm'", "3: NotImplementedError"]


@pytest.mark.parametrize("kind", TEXTS)
def test_what_a_task_does_not_work_out_by_hand_is_refused_with_a_sentence(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = model(kind)
    adapter = adapter_of(made)
    monkeypatch.setattr(type(adapter), "worked_example", Adapter.worked_example)
    with pytest.raises(UsageError, match=f"^models of the task {made.task} are not worked out by hand$"):
        adapter.by_hand()


@pytest.mark.parametrize("kind", TEXTS)
def test_what_is_predicted_can_be_asked_for(kind: str) -> None:
    """The whole prediction is an answer: it has the same loss as that of no answer."""
    made = model(kind, lowercase=False).in_double()
    adapter = adapter_of(made)
    if made.labelled:
        (predicted,) = adapter.predicted([made.example])
        own, asked = adapter.open(), adapter.open(None, predicted)
        assert own.answer == asked.answer
        assert (own.origin, asked.origin) == ("the model's own prediction", "given with --answer")
        assert adapter.question().answer == predicted
