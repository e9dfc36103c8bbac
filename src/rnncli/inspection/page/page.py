"""All views of one input, for a page: numbers, and a bounded number of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from rnncli.errors import UsageError, counted
from rnncli.inspection.adapters import Adapter, adapter_of
from rnncli.inspection.flow import CellFlow, Flow, flow
from rnncli.inspection.gates import figures
from rnncli.inspection.loss import GIVEN, Label
from rnncli.inspection.memory import memory, spread
from rnncli.inspection.page.reasons import reasons
from rnncli.inspection.states import States, largest, visible
from rnncli.inspection.terms import terms
from rnncli.page_results import Epoch, Grid, Page, Reach, Step, TermRow, TermRows, Timeline
from rnncli.record import Record
from rnncli.tasks.inputs import shorten
from rnncli.tasks.model import Model

# Limits of what a page holds, so that it can be read and stays below two megabytes.
STEPS = (160, 80, 40, 20)  # timesteps, the fewer the more layers there are
UNITS, FEWER_UNITS = 24, 12  # of a heat map
BYTES = 1_200_000  # of all heat maps
ROWS = 40  # of a table of timesteps
ANSWERS = 5  # of a timestep
SOURCES = 60  # symbols that attention looks at
EPOCHS = 400


def page(model: Model, text: str | None = None, label: Label | str | None = None, name: str = "") -> Page:
    """Opens an input, or the model's own example.

    Args:
        label: what the loss is of; None for the model's own prediction. The reasons are of the label if it was asked
            for by name, else of the prediction.
        name: what the model is called.

    Raises:
        UsageError: the input has no timesteps, or the model has no such answer.
    """
    text = model.example if text is None else text
    label = label if isinstance(label, Label) else Label.of(model, label)
    answer = label.text if label.origin == GIVEN or not model.labelled else None
    adapter, record = adapter_of(model), model.record
    trace, cut = adapter.trace(text), adapter.cut(text)
    why = reasons(adapter, text, answer)
    found, missing = None, ""
    try:
        found = _flow(adapter, text, label, why.answer, trace)
    except UsageError as error:
        missing = error.message
    room = _room(found, len(trace.tokens))
    kept = _ends(len(trace.tokens), room.steps)
    timelines, grids = _grids(found, kept, room) if found else ((), ())
    sums = tuple(_terms(found, name) for name in found.cell().matrices) if found else ()
    reaches = tuple(_reach(cell, found) for cell in found.cells) if found else ()
    epochs, (source, looked_at) = _epochs(record), _source(trace)
    count, head = len(trace.tokens), room.steps // 4
    fewer_units = any(len(grid.units) < grid.total for grid in grids)
    fewer_rows = any(len(one.rows) < one.total for one in sums) or any(len(one.rows) < one.total for one in reaches)
    left_out = (
        (cut, f"The model does not read {counted(cut, model.unit)} in the middle of so long an input."),
        (missing, f"There are no states and gates of the layers: {missing}."),
        (
            len(kept) < count,
            f"The timesteps are {len(kept)} of {count:,}: the first {head} and the last {len(kept) - head}.",
        ),
        (fewer_units, f"The heat maps have {room.units} units of each layer, those that change most."),
        (fewer_rows, f"Of a gradient's terms the {ROWS} largest are listed, of the steps back the {ROWS} nearest."),
        (
            len(epochs) < len(record.epochs),
            f"The learning curves have {len(epochs)} of {len(record.epochs):,} epochs.",
        ),
        (
            len(source) < looked_at,
            f"Of {looked_at:,} source symbols there are the {len(source)} that attention looks at most.",
        ),
    )
    return Page(
        text=text,
        facts=_facts(model, name),
        answers_are=trace.answers_are,
        reasons=why,
        steps=_steps(trace, found, kept, source),
        steps_total=len(trace.tokens),
        timelines=timelines,
        grids=grids,
        terms=sums,
        memory=reaches,
        source=source,
        epochs=epochs,
        share_is=model.share_is,
        epochs_total=len(record.epochs),
        best_epoch=record.best_epoch,
        left_out=tuple(sentence for applies, sentence in left_out if applies),
    )


def _ends(count: int, most: int) -> list[int]:
    """Positions of ``most`` of so many timesteps, those at either end."""
    return list(shorten(np.arange(count), most).tolist())


def _flow(adapter: Adapter[Any], text: str, label: Label, prediction: str, trace: States) -> Flow:
    """The input forward and back, with a step of the layers for each of the trace where there is one.

    A language model does not read the last token of an example, which has no next one: the prediction is put behind it.
    """
    if not adapter.model.labelled:
        longer = adapter.open(text + prediction)
        return flow(longer if longer.steps_of("") == trace.tokens else adapter.open(text))
    return flow(adapter.open(text, label))


class _Room(NamedTuple):
    """How many timesteps and units of a layer fit on a page, and whether all its other units do."""

    steps: int
    units: int
    whole: bool


def _room(found: Flow | None, count: int) -> _Room:
    if found is None:
        return _Room(STEPS[0], UNITS, False)

    def size(steps: int, units: int) -> int:
        """Bytes of the heat maps, about: of a number, a column's name and a row's name."""
        sides = [(cell, min(len(cell.steps), steps), min(units, cell.cell.hidden_size)) for cell in found.cells]
        return sum(len(cell.values) * (T * (22 * K + 90) + 60 * K) for cell, T, K in sides)

    fitting = [(steps, next((K for K in range(UNITS, 0, -1) if size(steps, K) <= BYTES), 0)) for steps in STEPS]
    steps, units = next((pair for pair in fitting if pair[1] >= FEWER_UNITS), fitting[-1])
    units = max(1, units)
    return _Room(
        steps, units, size(steps, units) + size(steps, max(cell.cell.hidden_size for cell in found.cells)) <= BYTES
    )


def _source(trace: States) -> tuple[tuple[tuple[int, str], ...], int]:
    """The symbols that attention looks at most, with their positions, and how many symbols there are."""
    looks = trace.alignment
    if looks is None:
        return (), 0
    most = largest(looks.max(axis=0), SOURCES)
    return tuple((place + 1, visible(trace.source[place])) for place in most), looks.shape[1]


def _steps(
    trace: States, found: Flow | None, kept: Sequence[int], source: Sequence[tuple[int, str]]
) -> tuple[Step, ...]:
    looks, looked_at = trace.alignment, [place - 1 for place, _ in source]
    top = found.layers_above(found.cell())[0] if found else []
    of_layers = [
        (f"{what} {cell.direction}" if len(top) > 1 else what, values)
        for cell in top
        for what, values in figures(cell).items()
        if what != "‖h‖"
    ]
    steps = []
    for t in kept:
        numbers = [(name, float(values[t])) for name, values in trace.numbers.items()]
        numbers.append(("‖h‖", float(trace.norm[t])))
        numbers += [(what, of_layer[t]) for what, of_layer in of_layers if t < len(of_layer)]
        answers = tuple(trace.top(t, ANSWERS))
        looked = tuple(looks[t, looked_at].tolist()) if looks is not None else ()
        steps.append(Step(t + 1, visible(trace.tokens[t]), trace.known[t], answers, tuple(numbers), looked))
    return tuple(steps)


def _grids(found: Flow, kept: Sequence[int], room: _Room) -> tuple[tuple[Timeline, ...], tuple[Grid, ...]]:
    """Every value of every layer; all units where there are few numbers, else those that change most."""
    of_page = found.cell().steps
    place = {t: k for k, t in enumerate(kept)}
    timelines: dict[tuple[tuple[str, ...], bool], Timeline] = {}
    grids: list[Grid] = []
    for cell in found.cells:
        followed = cell.steps is of_page
        chosen = [t for t in kept if t < len(cell.steps)] if followed else _ends(len(cell.steps), room.steps)
        names = tuple(visible(cell.steps[t]) for t in chosen)
        steps = tuple(place[t] for t in chosen) if followed else (-1,) * len(chosen)
        own = Timeline(names, tuple(t + 1 for t in chosen), len(cell.steps), steps)
        timelines.setdefault((cell.steps, followed), own)
        number = list(timelines).index((cell.steps, followed))
        H, changing = cell.cell.hidden_size, sorted(cell.most_changing(room.units))
        units = list(range(H)) if room.whole else changing
        shown = tuple(units.index(unit) for unit in changing)
        for what, values in cell.values.items():
            gate, picked = cell.cell.specification.gate(what), values[np.ix_(chosen, units)].T
            most = float(np.abs(picked).max(initial=0.0))
            low, high = (0.0, 1.0) if gate is not None and gate.opens else (-most, most)
            rows = tuple(tuple(row) for row in picked.tolist())
            grids.append(Grid(what, cell.name, cell.direction, number, tuple(units), H, shown, low, high, rows))
    return tuple(timelines.values()), tuple(grids)


def _terms(found: Flow, parameter: str) -> TermRows:
    one = terms(found, parameter)
    rows = tuple(
        TermRow(t + 1, visible(one.steps[t]), float(one.norms[t]), float(one.shares[t]), float(one.cosines[t]))
        for t in one.largest(ROWS)
    )
    return TermRows(
        parameter=parameter,
        answer=one.loss.answer,
        label_from=one.loss.origin,
        label_remark=one.loss.remark,
        loss=one.loss.nats,
        vanished=one.loss.warning,
        rows=rows,
        total=len(one.steps),
        norm=one.norm,
        residual=one.residual,
    )


def _reach(cell: CellFlow, found: Flow) -> Reach:
    one = memory(cell, found)
    shares = one.kept.shares.tolist()
    rows = tuple((back, visible(step), shares[back]) for back, step in enumerate(one.steps[:ROWS]))
    return Reach(cell.name, cell.direction, one.sentence, rows, len(one.steps), tuple(one.pairs()))


def _epochs(record: Record) -> tuple[Epoch, ...]:
    """The training record; of a long one, epochs that are evenly spread, the best and the last among them."""
    best = set() if record.best_epoch is None else {record.best_epoch - 1}
    shown = [record.epochs[k] for k in sorted({*spread(len(record.epochs), EPOCHS)} | best)]
    return tuple(
        Epoch(one.epoch, one.loss, one.validation_loss, one.validation_accuracy, one.validation_error) for one in shown
    )


def _facts(model: Model, name: str) -> tuple[tuple[str, Any], ...]:
    shapes = model.network.shapes().values()
    parameters = sum(int(np.prod(shape)) for shape in shapes)
    rows, data = model.record.rows, model.record.data
    facts: list[tuple[str, Any]] = [("model", name)] if name else []
    facts += [("task", model.task), *model.describe()]
    facts.append(("parameters", f"{parameters:,} numbers, {model.settings.dtype}"))
    if rows is not None:
        facts.append(("trained on", f"{counted(rows, model.row)} of {data}, seed {model.settings.seed}"))
    return tuple(facts)
