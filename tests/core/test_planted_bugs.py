"""The test of the tests: bugs planted in a copy of the core, each of which the suite's own checks must refuse.

Well-loved projects have shipped gradients that were zeros and a ``reverse`` that did not reverse, under tests that
looked at shapes. A plant that does not apply any more, because the source has changed, fails too: write it anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from core import checks

import rnncli.core

SOURCE = Path(rnncli.core.__file__).parent


class Plant(NamedTuple):
    """``right`` replaced by ``wrong`` in one module, and the checks that must see it."""

    module: str
    right: str
    wrong: str
    caught_by: str  # names out of checks.SUITE, with commas between


GRADIENTS, FORWARD = "gradients, golden", "naive, golden"

PLANTS = {
    # A reversal that does not reverse. Its gradients are right: only tests of the direction see it.
    "identity flip": Plant(
        "packed",
        "mirrored = self.lengths[self.sequence_of_row] - 1 - step_of_row",
        "mirrored = step_of_row",
        "reversal, direction, naive, golden, readouts",
    ),
    # Reverses over the padded length: a short sequence would begin with its padding, here with its last step again.
    "length-blind flip, padded": Plant(
        "packed",
        "mirrored = self.lengths[self.sequence_of_row] - 1 - step_of_row",
        "mirrored = np.minimum(self.lengths.max() - 1 - step_of_row, self.lengths[self.sequence_of_row] - 1)",
        "reversal, direction, naive, golden, gradients",
    ),
    # Right for the longest, so right in every test whose sequences are of one length.
    "length-blind flip, longest only": Plant(
        "packed",
        "mirrored = self.lengths[self.sequence_of_row] - 1 - step_of_row",
        "own = self.lengths[self.sequence_of_row]\n"
        "        mirrored = np.where(own == own.max(), own - 1 - step_of_row, step_of_row)",
        "reversal, direction, naive, golden",
    ),
    "outputs of the backward half not turned back": Plant(
        "directions", "y[:, H:] = h[reversal]", "y[:, H:] = h", "direction, naive, golden, gradients"
    ),
    "dx of the backward half not turned back": Plant("directions", "(dx[reversal] if", "(dx if", GRADIENTS),
    "dy of the backward half not turned": Plant("directions", "dy[:, H:][reversal]", "dy[:, H:]", GRADIENTS),
    "weight gradient never filled": Plant(
        "cell", "np.matmul(self.multiplied(", "0 * np.matmul(self.multiplied(", GRADIENTS
    ),
    "input gradient never filled": Plant("recurrence", "dx += da[gate] @ weight[gate].T", "pass", GRADIENTS),
    "rows never added up": Plant(
        "packed",
        "rest[..., :there, :] += values.take(self.order[first[:there] + nth], axis=-2)",
        "pass",
        "row gradients",
    ),
    "places not turned round with the sequences": Plant("packed", "own_inverse[self.order]", "self.order", "lookups"),
    "ids turned round, places not": Plant("packed", "self.inverse[own_inverse]", "self.inverse", "lookups"),
    "places of another id added up, narrow rows": Plant(
        "packed", "np.add.reduceat(values.take(self.order, axis=-2)", "np.add.reduceat(values", "row gradients"
    ),
    "rows of a common id not added up": Plant(
        "packed",
        "self.order[start : start + count]",
        "self.order[start : start + 1]",
        "row gradients",
    ),
    "h_t for h_(t-1)": Plant("cell", "values) if factor.past else values", "values) * 0 + values", GRADIENTS),
    "columns of weights in the order of the recorded gradients": Plant(
        "cell", "products if sorted_already else products[order]", "products", "gradients, golden, recorded"
    ),
    "a finished sequence updated once too often, rnn": Plant(
        "rnn",
        "return h, (last_h,), ",
        "done = x.lengths < len(x.batch_sizes)\n"
        "        last_h[done] = np.tanh(last_h[done] @ weight_hh)\n"
        "        return h, (last_h,), ",
        "naive, golden, gradients",
    ),
    "a finished sequence updated once too often, lstm memory": Plant(
        "lstm",
        "return kept[-1], (last_h, last_c), ",
        "done = x.lengths < len(x.batch_sizes)\n"
        "        last_c[done] *= 0.9\n"
        "        return kept[-1], (last_h, last_c), ",
        "naive, golden, gradients",
    ),
    "a sequence's gradient decays before its end is reached": Plant(
        "lstm", "dc_t *= f[rows]", "dc_t *= f[rows]\n                dc[n:] *= 0.9", GRADIENTS
    ),
    "the last state is that of the longest sequence's last step": Plant(
        "lstm",
        "last_h[:n], last_c[:n] = h, c",
        "last_h[...], last_c[...] = h[:1], c[:1]",
        "naive, golden, gradients, readouts",
    ),
    "a stretch of time begins with the states of another one": Plant(
        "gru", "h[...] = last_h[:n]", "h[...] = last_h[-n:]", "naive, golden, gradients"
    ),
    "c for c_prev": Plant("lstm", "c[rows] - written", "c[rows] * f[rows]", GRADIENTS),
    "forget gate's slope missing": Plant("lstm", "np.multiply(1 - f[rows],", "np.multiply(1,", GRADIENTS),
    "h of the step in the forget gate": Plant(
        "lstm", "(i_and_f, g_and_c, parts", "(i_and_f, np.stack((g_and_c[0], h)), parts", FORWARD
    ),
    "memory not carried back": Plant("lstm", "dc_t *= f[rows]", "dc_t *= 0", GRADIENTS),
    "gates in another order": Plant(
        "lstm", "= room[:4], room[1:3], room[3:5]", "= room[:4], room[2:0:-1], room[3:5]", FORWARD
    ),
    # h·r·W_hn for r·(h·W_hn): Cho et al.'s first form, which no weights of PyTorch or cuDNN fit.
    "reset gate before the product": Plant(
        "gru",
        "candidate += np.multiply(r, m, past_candidate)",
        "candidate += (r * h) @ params['weight_hh'][:, 2 * H :] + bias_hn",
        "naive, golden, gradients",
    ),
    "the update gate the other way round": Plant("gru", "h *= z", "h *= 1 - z", FORWARD),
    "what the update gate keeps not carried back": Plant("gru", "dh_t += carried[:n]", "pass", GRADIENTS),
    "a state's gradient recorded a step too early": Plant(
        "lstm", "d_states[:, rows] = dh_t, dc_t", "d_states[:, rows] = dh_t, dc_t * f[rows]", "recorded"
    ),
    "the gradient of a state recorded before that of its output came in": Plant(
        "gru", "d_states[0, rows] = dh_t", "d_states[0, rows] = dh_t if dy is None else dh_t - dy[rows]", "recorded"
    ),
    "gradients of sums under each other's names": Plant(
        "gru", 'sums=("m", "ar", "az", "an")', 'sums=("ar", "az", "an", "m")', GRADIENTS
    ),
    "gates said to stand in another order": Plant(
        "lstm",
        'gate("i", "input gate"), gate("f", "forget gate")',
        'gate("f", "forget gate"), gate("i", "input gate")',
        "recorded",
    ),
    "a reference step that is another cell's": Plant(
        "lstm", 'f * s.past("c") + i * g', '(1 - i) * s.past("c") + i * g', "recorded"
    ),
    "b_hn outside the reset gate": Plant("gru", '"b_hn", "m"', '"b_hn", "an"', "gradients, golden, recorded"),
    "minGRU's update gate the other way round": Plant("mingru", "h_t *= z_t", "h_t *= 1 - z_t", FORWARD),
    "a stretch of time begins with the states of another one, minGRU": Plant(
        "mingru", "h_prev = last_h[:n]", "h_prev = last_h[-n:]", "naive, golden, gradients"
    ),
    "biases left out of the sums of all steps": Plant("recurrence", "sums += self._bias", "pass", FORWARD),
    "what minGRU's gate keeps not carried back": Plant(
        "mingru", "closed[rows], out=dh[:n]", "0 * closed[rows], out=dh[:n]", GRADIENTS
    ),
    "h_t for h_(t-1), minGRU": Plant("mingru", "previous(x, h0, h)", "h", GRADIENTS),
    "slope of minGRU's gate missing": Plant("mingru", "da[0] *= closed", "pass", GRADIENTS),
    "dh not carried": Plant("rnn", "np.matmul(da_t, weight_hh_t, out=dh_t)", "dh_t[...] = 0", GRADIENTS),
    "weight not transposed on the way back": Plant(
        "rnn", 'by_gate_transposed(params["weight_hh"], 1)[0]', 'params["weight_hh"]', GRADIENTS
    ),
    "slope of tanh taken for ReLU": Plant(
        "rnn", "np.greater(h[first:end], 0, out=da[first:end])", "da[first:end] = 1 - h[first:end] ** 2", GRADIENTS
    ),
    "ReLU whose slope is always 1": Plant("rnn", "np.greater(h[first:end], 0,", "np.greater(1, 0,", GRADIENTS),
    "bias gradient missing": Plant(
        "cell", "totals[k] if k in totals else", "0 * totals[k] if k in totals else", GRADIENTS
    ),
    "bias inside the reset gate missing": Plant(
        "cell", "else sums[k].sum(axis=0)", "else 0 * sums[k].sum(axis=0)", GRADIENTS
    ),
    "dstate ignored": Plant(
        "cell", "self.first_state(dstate, x, dtype)", "self.first_state(None, x, dtype)", GRADIENTS
    ),
    "initial state ignored": Plant("cell", "return state or tuple", "return tuple", "naive, golden, gradients"),
    "dropout's mask forgotten on the way back": Plant("stack", "dy *= mask", "pass", "dropout gradients"),
    "dropout that does not scale": Plant(
        "dropout",
        "return x * mask, mask",
        "return x * (mask > 0), mask",
        "dropout gradients",
    ),
    "sum instead of mean, loss": Plant("losses", "np.full(count, 1 / count, dtype)", "np.ones(count, dtype)", "losses"),
    "weights that are no shares": Plant("losses", "weights / weights.sum()", "weights", "losses"),
    "gradient of the loss not weighted": Plant(
        "losses", "d_logits *= share[:, None]", "d_logits /= len(share)", "losses"
    ),
    "sum instead of mean, read-out": Plant(
        "readout", "total /= x.lengths[:, None].astype(y.dtype)", "pass", "readouts"
    ),
    "mean over the longest length": Plant(
        "readout",
        "total /= x.lengths[:, None].astype(y.dtype)",
        "total /= len(x.batch_sizes)",
        "readouts",
    ),
    "idle rows do not move": Plant("lazy_rows", "values -= push", "pass", "idle rows"),
    "idle rows do not shrink": Plant("lazy_rows", "pushed *= keep", "pass", "idle rows"),
    "idle moments do not decay": Plant("lazy_rows", "(decay**missed)", "(decay ** (0 * missed))", "idle rows"),
    "idle rows move one step too far": Plant(
        "lazy_rows", "np.arange(count, 0, -1)", "np.arange(count - 1, -1, -1)", "idle rows"
    ),
    "a row that is used counts as idle": Plant(
        "optimizers", "state.idle.since[table][rows] = state.idle.now", "pass", "idle rows"
    ),
    "momentum forgets its rate where it is idle": Plant(
        "optimizers", "return 1.0, rate", "return 1.0, 1.0", "idle rows"
    ),
    "a NaN that clipping hides": Plant("parameters", "if not np.isfinite(norm):", "if False:", "clipping"),
    "clipping that leaves tables out": Plant(
        "parameters", "np.multiply(rows.values, factor, out=rows.values)", "pass", "clipping"
    ),
}


@pytest.fixture
def copy_of_core(tmp_path: Path) -> Iterator[object]:
    """``copy_of_core(plant)``: a package like ``rnncli.core``, from the same source but for the plant."""
    name = "core_with_a_plant"

    def make(plant: Plant | None) -> SimpleNamespace:
        folder = tmp_path / name
        folder.mkdir()
        for path in SOURCE.rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            if plant and path.stem == plant.module:
                assert plant.right in text, f"{path.name} has changed: this plant must be written anew"
                text = text.replace(plant.right, plant.wrong)
            copied = folder / path.relative_to(SOURCE)
            copied.parent.mkdir(exist_ok=True)
            copied.write_text(text.replace("from rnncli.core", f"from {name}"), encoding="utf-8")
        spec = spec_from_file_location(name, folder / "__init__.py", submodule_search_locations=[str(folder)])
        assert spec is not None
        assert spec.loader is not None
        package = sys.modules[name] = module_from_spec(spec)
        spec.loader.exec_module(package)
        for module in checks.MODULES.values():
            import_module(f"{name}.{module}")
        import_module(f"{name}.threads").available_cores = lambda: 1  # as in conftest.py
        return checks.core_of(name)

    yield make
    for module in [module for module in sys.modules if module.partition(".")[0] == name]:
        del sys.modules[module]


def refusals(core: SimpleNamespace, names: list[str]) -> dict[str, str]:
    """The checks that say no, with what they say."""
    said = {}
    for name in names:
        try:
            checks.SUITE[name](core)
        except AssertionError as refusal:
            said[name] = str(refusal)
    return said


def test_without_a_plant_nothing_is_refused(copy_of_core) -> None:
    core = copy_of_core(None)
    assert core.packed.PackedSequence is not checks.CORE.packed.PackedSequence
    assert refusals(core, list(checks.SUITE)) == {}


@pytest.mark.parametrize("name", PLANTS)
def test_planted_bug_is_refused(name: str, copy_of_core) -> None:
    plant = PLANTS[name]
    expected = plant.caught_by.split(", ")
    assert refusals(copy_of_core(plant), expected).keys() == set(expected)


def test_every_check_catches_something() -> None:
    """A check that no plant needs may be one that refuses nothing."""
    assert {check for plant in PLANTS.values() for check in plant.caught_by.split(", ")} == checks.SUITE.keys()
