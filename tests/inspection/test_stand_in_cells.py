"""Whatever is shown of a cell, of cells that ours are not like: by their specification alone."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from core import reference
from inspection.models import TEXTS, model

from rnncli.core.gradient_check import numeric_gradient
from rnncli.inspection.adapters import adapter_of
from rnncli.inspection.chain import chain, step_jacobian
from rnncli.inspection.check import check_gradients
from rnncli.inspection.doctor.units import UnitRanges, add_text
from rnncli.inspection.flow import CellFlow, Flow, flow
from rnncli.inspection.gates import gates_document, gates_table
from rnncli.inspection.memory import comparison, memory, saturation
from rnncli.inspection.page.page import page
from rnncli.inspection.terms import loss_by_source, terms

pytestmark = pytest.mark.usefixtures("stand_in_cells")
CELLS = ("peephole", "sru")
WEIGHTS = {
    "peephole": ("weight_ih", "weight_hh", "peep_past", "peep_now", "bias"),
    "sru": ("weight_ih", "bias"),
}
SHOWN = {"peephole": "hcifog", "sru": "hcnfr"}
every_cell = pytest.mark.parametrize("cell", CELLS)


def opened(kind: str, cell: str, **chosen: Any) -> Flow:
    chosen = {"bidirectional": kind not in ("lm", "caption"), "layers": 2} | chosen
    return flow(adapter_of(model(kind, cell=cell, **chosen)).open())


@every_cell
@pytest.mark.parametrize("kind", TEXTS)
def test_terms_of_every_parameter_add_up_to_its_gradient(kind: str, cell: str) -> None:
    found = opened(kind, cell)
    for of_cell in found.cells:
        assert {name for name in found.gradients if name.startswith(of_cell.name + "/")} == {
            f"{of_cell.name}/{weight}" for weight in WEIGHTS[cell]
        }
    for name, gradient in found.gradients.items():
        one = terms(found, name)
        total = sum(one.term(t) for t in range(len(one.steps)))
        assert np.abs(total - gradient).max() <= 1e-12, name
        assert one.residual <= 1e-12
        assert one.norms == pytest.approx([np.linalg.norm(one.term(t)) for t in range(len(one.steps))], rel=1e-9)
    assert check_gradients(found.opened, entries=4).passed


def test_a_peephole_is_no_bias() -> None:
    """Its term is the memory times ∂L/∂ the sum; the term of a bias would be ∂L/∂ the sum."""
    found = opened("words", "peephole", bidirectional=False, layers=1)
    cell = found.cells[0]
    of_bias = terms(found, f"{cell.name}/bias").d
    c = cell.values["c"]
    c_past = np.concatenate((np.zeros((1, 4)), c[:-1]))
    past = terms(found, f"{cell.name}/peep_past")
    assert past.d == pytest.approx(np.concatenate((c_past * of_bias[:, :4], c_past * of_bias[:, 4:8]), axis=1))
    assert terms(found, f"{cell.name}/peep_now").d == pytest.approx(c * of_bias[:, 12:])
    assert np.abs(past.d).max() > 1e-4


@every_cell
def test_gates_are_those_of_the_reference_step(cell: str) -> None:
    for of_cell in opened("tag", cell).cells:
        shown = gates_document(of_cell)
        assert "".join(shown["values"]) == SHOWN[cell]
        assert shown["initial"].keys() == {"h", "c"}
        steps = reference.run(of_cell.cell, of_cell.params, of_cell.in_time(of_cell.x), [np.zeros(4)] * 2)
        for letter, values in shown["values"].items():
            assert of_cell.in_time(values) == pytest.approx(np.array([step[letter] for step in steps]), rel=1e-12)
        names = [column.name for column in gates_table(of_cell, [0]).columns]
        assert names[2 : 2 + len(SHOWN[cell])] == ["‖h‖", "‖c‖", *(f"mean {letter}" for letter in SHOWN[cell][2:])]


@every_cell
def test_a_jacobian_against_differences_and_the_chain_of_them(cell: str) -> None:
    found = opened("words", cell, layers=1, bidirectional=False, readout="last")
    of_cell = found.cells[0]
    arrives = of_cell.d_states["h"]
    row = np.concatenate((arrives[-1], np.zeros(4)))
    for t in range(len(of_cell.steps) - 1, 0, -1):
        jacobian = step_jacobian(of_cell, t)
        before = np.concatenate([of_cell.values["h"][t - 1], of_cell.values["c"][t - 1]])

        def after(k: int, t: int = t, before: np.ndarray = before) -> float:
            (step,) = reference.run(of_cell.cell, of_cell.params, of_cell.x[t : t + 1], np.split(before, 2))
            return float(np.concatenate((step["h"], step["c"]))[k])

        for k in range(8):
            assert jacobian[k] == pytest.approx(numeric_gradient(lambda k=k: after(k), before), abs=1e-9)
        row = row @ jacobian
        assert row[:4] == pytest.approx(arrives[t - 1], abs=1e-14)
    assert [factor.written for factor in chain(found, of_cell).factors][-1] == "∂h_2/∂h_1"


@every_cell
def test_memory_is_followed_by_whatever_the_cell_has(cell: str) -> None:
    of_cell = opened("words", cell, layers=1, bidirectional=True).cells[1]
    found = memory(of_cell)
    assert found.radii.keys() == ({"i", "f", "g", "o"} if cell == "peephole" else set())
    assert ("spectral radius of W_h" in dict(found.pairs())) == (cell == "peephole")
    assert found.saturated.keys() == ({"i", "f", "g", "o"} if cell == "peephole" else {"f", "r"})
    total = of_cell.d_output.sum(axis=0)
    read = of_cell.in_time(of_cell.x)

    def at_the_end(t: int, letter: str, moved: np.ndarray) -> float:
        steps = reference.run(of_cell.cell, of_cell.params, read, [np.zeros(4)] * 2, {t: {letter: moved}})
        return float(total @ steps[-1]["h"])

    assert [one.letter for one in found.states] == ["h", "c"]
    for one in found.states:
        letter = one.letter
        for back, norm in enumerate(one.norms.tolist()):
            moved, t = np.zeros(4), len(read) - 1 - back
            numeric = numeric_gradient(lambda t=t, letter=letter, m=moved: at_the_end(t, letter, m), moved)
            assert norm == pytest.approx(np.linalg.norm(numeric), abs=1e-8)
    assert found.kept.shares[-1] > 0
    assert "By its memory c" in found.sentence
    other = memory(flow(adapter_of(model("words", cell="gru")).open()).cell())
    assert comparison(found, other, ("a", "b")).columns[2].name == f"a: {found.kind}'s c"


@every_cell
def test_losses_of_all_steps(cell: str) -> None:
    found = opened("tag", cell)
    for of_cell in found.cells:
        whole = np.linalg.norm(of_cell.d_states["h"], axis=1)
        norms = loss_by_source(found, of_cell).norms
        assert (whole <= norms.sum(axis=0) + 1e-12).all()
        assert norms.max() > 1e-3


@every_cell
def test_saturation_and_dead_units(cell: str) -> None:
    cells = opened("words", cell).cells
    layers: dict[str, UnitRanges] = {}
    for _ in range(2):
        add_text(layers, cells)
    for of_cell, layer in zip(cells, layers.values(), strict=True):
        ends = {letter: np.abs(of_cell.values[letter] - 0.5) > 0.45 for letter in ("f",)}
        assert saturation(of_cell)["f"] == ends["f"].mean()
        assert layer.steps == 2 * len(of_cell.steps)
        assert not layer.relu
        flat = _mean_flat(of_cell)
        assert layer.flat == pytest.approx(2 * flat.sum(axis=0))


def _mean_flat(cell: CellFlow) -> np.ndarray:
    ends = [np.abs(cell.values[k] - 0.5) > 0.45 for k in "ifor" if k in cell.values]
    ends += [np.abs(cell.values[k]) > 0.9 for k in "g" if k in cell.values]
    return np.mean(ends, axis=0)


@every_cell
def test_a_page_has_a_grid_for_each_value_and_terms_of_each_matrix(cell: str) -> None:
    shown = page(model("words", cell=cell, layers=2))
    assert [grid.what for grid in shown.grids] == list(SHOWN[cell]) * 4
    for grid in shown.grids:
        assert ((grid.low, grid.high) == (0.0, 1.0)) == (grid.what in "ifor")
    matrices = [name for name in WEIGHTS[cell] if name.startswith("weight")]
    assert [one.parameter.rpartition("/")[2] for one in shown.terms] == matrices
    assert [name for name, _ in shown.steps[0].numbers][:3] == ["‖h‖", "‖c‖ →", f"mean {SHOWN[cell][2]} →"]


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("cell", [*CELLS, "mingru"])
def test_every_line_by_hand_comes_to_trainings_numbers(cell: str, kind: str) -> None:
    made = model(kind, cell=cell, layers=2, bidirectional=kind not in ("lm", "caption"))
    worked = adapter_of(made).by_hand("abca" if kind == "lm" else TEXTS[kind])
    assert worked.residual <= 1e-12
    for letter in SHOWN.get(cell, "hzn"):
        assert any(re.match(f"{letter}[ᵉᴵᶠᵇ]*_1$", step.name) for step in worked.steps), letter


def test_a_peephole_is_worked_by_hand() -> None:
    worked = adapter_of(model("words", cell="peephole", bidirectional=False)).by_hand()
    assert "i_t = σ(x_t·W_ii + h_(t−1)·W_hi + c_(t−1) ⊙ p_i + b_i)" in worked.equations
    assert "o_t = σ(x_t·W_io + h_(t−1)·W_ho + c_t ⊙ p_o + b_o)" in worked.equations
    formulas = {step.name: step.formula for step in worked.steps}
    assert formulas["∂L/∂p_i(2)"] == "∂L/∂p_i(2) = ∂L/∂ai_2 ⊙ c_1"
