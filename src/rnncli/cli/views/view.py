"""A view of ``rnncli inspect``: its row in the table, the subject that it shows, and what it shows."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property, wraps
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeAlias, TypeVar

from rnncli.cli.arguments.inputs import found_model, paths_of, require_piped, source_of
from rnncli.cli.arguments.options import READING, Note, flag_of, quiet
from rnncli.errors import UsageError

if TYPE_CHECKING:
    from rnncli.cli.arguments.options import AnyModel, AnyPath
    from rnncli.data.dataset import Source
    from rnncli.inspection.adapters import Adapter
    from rnncli.inspection.flow import Flow
    from rnncli.inspection.loss import Label, Loss, Opened
    from rnncli.page_results import Page
    from rnncli.results import HeatMap, TableCell, TableView
    from rnncli.tasks.model import Model

    Drawing: TypeAlias = TableView | HeatMap
    # A table or map, a summary, or a text for a width and perhaps ASCII alone; those of a tuple stand close together.
    Part: TypeAlias = Drawing | list[tuple[str, TableCell]] | Callable[[int, bool], str]

P = ParamSpec("P")
R = TypeVar("R")


def in_numpy(function: Callable[P, R]) -> Callable[P, R]:
    """Lets NumPy compute what is shown: the engine whose lines one can read, with the same digits everywhere."""

    @wraps(function)
    def call(*args: P.args, **given: P.kwargs) -> R:
        from rnncli.core.engine.library import using  # imports NumPy

        with using("numpy"):
            return function(*args, **given)

    return call


ROWS = 20  # at most, in a table of a long input with a row for each part
STEPS = 40  # timesteps at most, of a long input on a screen


@dataclass(eq=False, repr=False)
class Shown:
    """What a view shows.

    Attributes:
        parts: for people, in order.
        document: for ``--json`` and for Python.
        failed: the view checked something, and it is wrong.
        notes: sentences that follow.
        no_map: why there is no heat map for ``--map``, and what to do; empty where there is one.
    """

    parts: Sequence[Part | tuple[Part, ...]]
    document: Any
    failed: bool = False
    notes: Sequence[str] = ()
    no_map: tuple[str, ...] = ()

    @property
    def groups(self) -> list[tuple[Part, ...]]:
        """The parts, with those that stand close together in one tuple."""
        return [part if isinstance(part, tuple) else (part,) for part in self.parts]

    @property
    def drawn(self) -> list[Drawing]:
        """The tables and heat maps, which can be a picture."""
        from rnncli.results import HeatMap, TableView

        return [one for one in chain(*self.groups) if isinstance(one, TableView | HeatMap)]


@dataclass(eq=False, repr=False)
class View:
    """A row of the table of views.

    Attributes:
        name: its argument, and its key in ``--json`` and among the results in Python.
        help: what it shows.
        draw: shows it. Its keyword arguments are the options that go with the view, and its own value if it has one.
        more_flags: other flags that ask for it.
        kind: the annotation of its value; a switch has none.
        metavar: its value in the help.
        alone: no other view is shown with it.
        text: it shows a text, or the model's own example.
        answer: its scores or its loss are of ``--answer``, if that is given.
        states: it shows states alone, which another answer changes only where the model reads it.
        label: it needs the true label, where that is known.
        loss: so does its loss, or the gradient of it, that it shows.
        file: which data file it reads: none, the one that its value names, or that of ``--data``.
        drawing: those of its options that choose what a table shows; ``--json`` has everything.
        page: whether ``--html`` has it, in a section of its own making; or what draws its tables there.
        instead_of_picture: what to do instead of ``--svg``, where it draws no tables.
        of_data: the row in its place where ``--data`` names a file.
    """

    name: str
    help: str
    draw: Callable[..., Shown]
    _: KW_ONLY
    more_flags: tuple[str, ...] = ()
    kind: Any = bool
    metavar: str | None = None
    alone: bool = False
    text: bool = True
    answer: bool = True
    states: bool = False
    label: bool = False
    loss: bool = False
    file: Literal["none", "own", "data"] = "none"
    drawing: tuple[str, ...] = ()
    page: bool | Callable[[Subject], Sequence[Drawing]] = False
    instead_of_picture: str | None = None
    of_data: View | None = None

    @property
    def flag(self) -> str:
        """The flag that asks for it, and its name in messages."""
        return flag_of(self.name)

    @cached_property
    def keywords(self) -> frozenset[str]:
        """The options that :attr:`draw` takes."""
        parameters = inspect.signature(self.draw).parameters.values()
        return frozenset(one.name for one in parameters if one.kind is inspect.Parameter.KEYWORD_ONLY)

    @cached_property
    def options(self) -> frozenset[str]:
        """All options that go with it."""
        more = {"sentence": self.text, "answer": self.answer, "svg": self.instead_of_picture is None}
        more |= {"data": self.file == "data"} | dict.fromkeys(READING, self.file != "none")
        return self.keywords - {self.name} | {name for name, goes in more.items() if goes}


@dataclass(kw_only=True, eq=False, repr=False)
class Subject:
    """The model that views show, with the input or the data file.

    Attributes:
        path: the model's file; None for a model that was given without one.
        name: what the user calls the model.
        runs: where other models are found by name.
        text: the input; None for the model's own example.
        answer: whose score or loss it is, as given by ``--answer``; None for the prediction.
        of_label: the loss is of the true label, where that is known and no answer is given.
        file: the data file, or several; ``reading`` says how to read it.
        note: takes a sentence on what is read, and its style.
        fits: whether a table fits on the screen; None where there is none.
    """

    model: Model
    path: Path | None
    name: str
    runs: Path
    text: str | None = None
    answer: str | None = None
    of_label: bool = False
    file: AnyPath | Iterable[AnyPath] | None = None
    reading: Mapping[str, Any] = field(default_factory=dict)
    note: Note = quiet
    fits: Callable[[TableView], bool] | None = None

    @cached_property
    def adapter(self) -> Adapter[Any]:
        """The model as inspection sees it."""
        from rnncli.inspection.adapters import adapter_of

        return adapter_of(self.model)

    @cached_property
    def source(self) -> Source:
        """The data file, with how to read it."""
        files = paths_of(self.file)
        for one in files:
            require_piped(one)
        return source_of(files, self.reading)

    @cached_property
    def label(self) -> Label:
        """What a loss is of: the label given, that of the row in the training data, or the prediction."""
        from rnncli.inspection.loss import Label
        from rnncli.training.rows import labelled_row

        if self.answer is not None or not self.model.labelled:
            return Label.of(self.model, self.answer)
        if self.path is None:
            return Label(remark="nothing says where its training data are")
        text = self.adapter.text(self.text)
        found = labelled_row(self.model, self.path, text, lambda one: self.adapter.parts(one).values)
        if isinstance(found, str):
            return Label(remark=found)
        place = f"line {found.line} of {found.file}"
        try:
            self.adapter.open(text, found.label)
        except UsageError as error:
            return Label(remark=f"that of {place} cannot be used: {error.message}")
        lines = ", ".join([*(f"{line:,}" for line in found.differing[:3]), *(["…"] if found.differing[3:] else [])])
        return Label(found.label, place, f"the same input has another label in line {lines}" if lines else "")

    @property
    def asked(self) -> Label | str | None:
        """What a loss is of, as :func:`rnncli.inspection.loss.opened` takes it."""
        return self.label if self.of_label else self.answer

    @cached_property
    def opened(self) -> Opened:
        """The input as an example of training, with its label."""
        return self.adapter.open(self.text, self.asked)

    @cached_property
    def flow(self) -> Flow:
        """The forward and the backward pass of the input, computed once for all views."""
        from rnncli.inspection.flow import flow

        return flow(self.opened)

    def other(self, given: AnyModel, option: str) -> tuple[str, Model]:
        """Another model to compare with, after its name.

        Raises:
            StorageError: there is none.
            UsageError: it is the same.
        """
        model, path, name = found_model(given, self.runs)
        if path is None:
            return "the other", model
        if self.path is not None and path.samefile(self.path):
            raise UsageError(f"{option} {name}: that is the model itself", "name another one")
        return name, model


@dataclass(eq=False, repr=False)
class Inspection(Mapping[str, Any]):
    """What some views show of a model, by the names of the views: the values that ``--json`` prints.

    Attributes:
        subject: what they show.
        shown: by view, in order; tables and texts as well.
        table: all views that there are.
    """

    subject: Subject
    shown: dict[View, Shown]
    table: Sequence[View] = ()

    def __getitem__(self, name: str) -> Any:
        return {view.name: one.document for view, one in self.shown.items()}[name]

    def __iter__(self) -> Iterator[str]:
        return (view.name for view in self.shown)

    def __len__(self) -> int:
        return len(self.shown)

    def __repr__(self) -> str:
        text = "" if self.subject.text is None else f" of {self.subject.text[:60]!r}"
        return f"<rnncli inspection{text}: {', '.join(self)}>"

    @property
    def drawn(self) -> list[Drawing]:
        """The tables and heat maps, which can be a picture."""
        return [part for one in self.shown.values() for part in one.drawn]

    @cached_property
    @in_numpy
    def page(self) -> Page:
        """The numbers of the input's page.

        Raises:
            UsageError: the input has no timesteps, or the model cannot give the answer.
        """
        from rnncli.inspection.page.page import page

        subject = self.subject
        return page(subject.model, subject.text, subject.label, "" if subject.path is None else str(subject.path))

    @property
    @in_numpy
    def page_tables(self) -> list[tuple[str, str, Sequence[Drawing]]]:
        """Name, title and tables of each view that draws tables for the page."""
        return [
            (view.name, view.help.rstrip("."), view.page(self.subject)) for view in self.table if callable(view.page)
        ]


def notes_on(loss: Loss) -> list[str]:
    """The sentence that a loss is too small for its gradient to mean anything, where it is."""
    return [loss.warning] if loss.warning else []


def chosen_units(
    names: Sequence[str], units: str | None, top: int | None, most_changing: Callable[[int], Sequence[int]]
) -> list[int] | None:
    """Returns the units that ``--units`` or ``--top`` choose; None where neither is given.

    Raises:
        UsageError: there is no such unit, or there are not so many.
    """
    if units is not None:
        return parse_units(units, tuple(names))
    if top is None:
        return None
    if not 1 <= top <= len(names):
        raise UsageError(f"--top must be at least 1 and at most {len(names)}, not {top}")
    return list(most_changing(top))


def parse_units(text: str, names: tuple[str, ...]) -> list[int]:
    """``0,3-5,←2`` as positions among the units' names; a bare number counts from the first unit on.

    Raises:
        UsageError: no such unit.
    """
    chosen: list[int] = []
    for part in text.split(","):
        part = part.strip()
        matched = re.fullmatch(r"([0-9]{1,9})(?:-([0-9]{1,9}))?", part)
        if part in names:
            chosen.append(names.index(part))
        elif matched:
            first, last = int(matched[1]), int(matched[2] or matched[1])
            if not first <= last < len(names):
                raise UsageError(f"--units {part}: the units are 0 to {len(names) - 1}")
            chosen.extend(range(first, last + 1))
        else:
            raise UsageError(f"--units takes numbers like 0,3-5, not '{part}'")
    return chosen
