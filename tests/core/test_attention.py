"""Attention against plain loops, differences and what the words promise; and plants that these checks must refuse.

A check is a function over *any copy* of the module, as in checks.py: at the end they run over copies with a bug in
them.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest
from core import checks

from rnncli.core.gradient_check import relative_error
from rnncli.core.layers import attention
from rnncli.core.packed import PackedSequence

pytestmark = pytest.mark.engines("numpy")

Array = np.ndarray[Any, Any]

H, M, K = 3, 4, 2
# Source and target lengths in the caller's order. In RAGGED the two are packed in different orders.
RAGGED = ([3, 1, 5, 2], [2, 4, 1, 3])
BATCHES = {
    "ragged": RAGGED,
    "one sequence": ([3], [4]),
    "one step each": ([1], [1]),
    "all of one length": ([3, 3, 3], [2, 2, 2]),
    "same order": ([1, 4, 2], [2, 3, 2]),
}


class Case(NamedTuple):
    """A layer with what goes in, and ``of_out``: the loss is Σ out·of_out. Arrays may be changed in place."""

    layer: Any
    params: dict[str, Array]
    h: PackedSequence
    memory: PackedSequence
    of_out: Array

    def out(self) -> Array:
        return self.layer.forward(self.params, self.h, self.memory)[0]

    def loss(self) -> float:
        return float(np.sum(self.out() * self.of_out))

    def values(self) -> dict[str, Array]:
        return {"h": self.h.data, "memory": self.memory.data} | self.params

    def gradients(self) -> dict[str, Array]:
        _, cache = self.layer.forward(self.params, self.h, self.memory)
        dh, dmemory, grads = self.layer.backward(self.params, cache, self.of_out)
        return {"h": dh, "memory": dmemory} | grads


def random_case(
    module: ModuleType, lengths: tuple[list[int], list[int]] = RAGGED, seed: int = 1, dtype: Any = np.float64
) -> Case:
    rng = np.random.default_rng(seed)
    layer = module.Attention(H, M, K)
    sources, targets = (
        [rng.standard_normal((length, width)).astype(dtype) for length in side]
        for side, width in zip(lengths, (M, H), strict=True)
    )
    return Case(
        layer,
        checks.random_params(layer, rng, dtype=dtype),
        PackedSequence.pack(targets),
        PackedSequence.pack(sources),
        rng.standard_normal((sum(lengths[1]), K)).astype(dtype),
    )


def of_sequences(case: Case, numbers: list[int]) -> Case:
    """The same layer over some of the case's sequences, by their place in the caller's batch."""
    h, memory, of_out = (x.unpack() for x in (case.h, case.memory, case.h.with_data(case.of_out)))
    picked = [PackedSequence.pack([part[n] for n in numbers]) for part in (h, memory, of_out)]
    return Case(case.layer, case.params, picked[0], picked[1], picked[2].data)


def dot(left: Any, right: Any) -> float:
    return sum(float(x) * float(y) for x, y in zip(left, right, strict=True))


def naive_step(params: dict[str, Array], h_t: Array, m: Array) -> tuple[list[float], list[float]]:
    """out_t and a_t of one target step against one source (T, M), a number at a time."""
    query = [dot(h_t, params["weight_a"][:, j]) for j in range(M)]
    exponentials = [math.exp(dot(query, m_s)) for m_s in m]
    a = [exponential / sum(exponentials) for exponential in exponentials]
    context = [dot(a, m[:, j]) for j in range(M)]
    joined = [*context, *h_t.tolist()]
    return [math.tanh(dot(joined, params["weight_c"][:, k]) + float(params["bias_c"][k])) for k in range(K)], a


# The checks


def check_against_naive(module: ModuleType) -> None:
    """Outputs and alignments of every step of every sequence."""
    for lengths in BATCHES.values():
        case = random_case(module, lengths)
        out, cache = case.layer.forward(case.params, case.h, case.memory)
        outputs, alignments = case.h.with_data(out).unpack(), module.alignment(cache)
        assert len(alignments) == len(outputs) == len(lengths[0])
        for n, (h_n, m_n) in enumerate(zip(case.h.unpack(), case.memory.unpack(), strict=True)):
            expected = [naive_step(case.params, h_t, m_n) for h_t in h_n]
            np.testing.assert_allclose(outputs[n], [out_t for out_t, _ in expected], rtol=1e-12, atol=1e-14)
            np.testing.assert_allclose(alignments[n], [a_t for _, a_t in expected], rtol=1e-12, atol=1e-14)


def check_gradients(module: ModuleType) -> None:
    """Both inputs and every parameter, against differences."""
    for name in ("ragged", "one sequence", "same order"):
        case = random_case(module, BATCHES[name])
        analytic, values = case.gradients(), case.values()
        assert analytic.keys() == values.keys() == {"h", "memory", "weight_a", "weight_c", "bias_c"}
        for value, array in values.items():
            checks.assert_gradient(f"{name}, {value}", analytic[value], case.loss, array)


def check_alignments(module: ModuleType) -> None:
    """Padded in the caller's order: rows of a target step add up to 1 over its source's steps, all else is 0."""
    case = random_case(module)
    _, cache = case.layer.forward(case.params, case.h, case.memory)
    sources, targets = RAGGED
    assert cache.a.shape == (4, max(targets), max(sources))
    for n, (source, target) in enumerate(zip(sources, targets, strict=True)):
        np.testing.assert_allclose(cache.a[n, :target].sum(axis=1), 1, rtol=1e-14)
        assert (cache.a[n, :target, :source] > 0).all()
        np.testing.assert_array_equal(cache.a[n, :, source:], 0)
        np.testing.assert_array_equal(cache.a[n, target:], 0)
        np.testing.assert_array_equal(module.alignment(cache)[n], cache.a[n, :target, :source])


def check_company(module: ModuleType) -> None:
    """A sequence alone, in a batch, and in the batch turned round: the same outputs and gradients."""
    case = random_case(module)
    out, got = case.out(), case.gradients()
    outputs, dh, dmemory = (
        x.unpack() for x in (case.h.with_data(out), case.h.with_data(got["h"]), case.memory.with_data(got["memory"]))
    )
    summed = {name: np.zeros_like(value) for name, value in case.params.items()}
    for n in range(4):
        alone = of_sequences(case, [n])
        gradients = alone.gradients()
        np.testing.assert_allclose(alone.out(), outputs[n], rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(gradients["h"], dh[n], rtol=1e-11, atol=1e-14)
        np.testing.assert_allclose(gradients["memory"], dmemory[n], rtol=1e-11, atol=1e-14)
        for name, total in summed.items():
            total += gradients[name]
    for name, total in summed.items():
        assert relative_error(got[name], total) < 1e-12, name
    turned = of_sequences(case, [3, 2, 1, 0])
    for n, out_n in enumerate(reversed(turned.h.with_data(turned.out()).unpack())):
        np.testing.assert_allclose(out_n, outputs[n], rtol=1e-12, atol=1e-14)


def check_strangers(module: ModuleType) -> None:
    """Another memory for one sequence moves all outputs of that one, and no bit of the others'."""
    case = random_case(module)
    before = case.h.with_data(case.out()).unpack()
    for changed in range(4):
        sources = case.memory.unpack()
        sources[changed] = sources[changed] + 1.0
        moved = case._replace(memory=PackedSequence.pack(sources))
        for n, after in enumerate(case.h.with_data(moved.out()).unpack()):
            if n == changed:
                assert (np.abs(after - before[n]).max(axis=1) > 1e-6).all(), f"{n} does not look at its source"
            else:
                assert after.tobytes() == before[n].tobytes(), f"{n} looks at the source of {changed}"


def check_one_step(module: ModuleType) -> None:
    """Decoding: h of one step for each sequence and the whole memory give that step's rows."""
    case = random_case(module)
    out, cache = case.layer.forward(case.params, case.h, case.memory)
    whole, alignments = case.h.with_data(out).unpack(), module.alignment(cache)
    for t in range(max(RAGGED[1])):
        running = [n for n, length in enumerate(RAGGED[1]) if length > t]
        h_t = PackedSequence.pack([case.h.unpack()[n][t : t + 1] for n in running])
        memory = PackedSequence.pack([case.memory.unpack()[n] for n in running])
        out, cache = case.layer.forward(case.params, h_t, memory)
        assert out.shape == (len(running), K)
        for n, out_n, a_n in zip(running, h_t.with_data(out).unpack(), module.alignment(cache), strict=True):
            np.testing.assert_allclose(out_n[0], whole[n][t], rtol=1e-12, atol=1e-14)
            np.testing.assert_allclose(a_n[0], alignments[n][t], rtol=1e-12, atol=1e-14)


def check_precision(module: ModuleType) -> None:
    """float32 stays float32, and is float64 to as many digits."""
    case, wide = (random_case(module, dtype=dtype) for dtype in (np.float32, np.float64))
    out, cache = case.layer.forward(case.params, case.h, case.memory)
    gradients = case.gradients()
    kept = [value for value in cache if isinstance(value, np.ndarray) and value.dtype.kind == "f"]
    assert len(kept) >= 5
    assert {array.dtype.name for array in (out, *kept, *gradients.values())} == {"float32"}
    assert relative_error(out, wide.out()) < 1e-5
    for name, gradient in wide.gradients().items():
        assert relative_error(gradients[name], gradient) < 1e-5, name


def check_huge_scores(module: ModuleType) -> None:
    """Scores of some ten thousand: all weight on one step, no warning (NumPy raises in these tests), all finite."""
    for dtype in (np.float32, np.float64):
        case = random_case(module, dtype=dtype)
        case.params["weight_a"] *= 1e4
        out, cache = case.layer.forward(case.params, case.h, case.memory)
        assert np.isfinite(out).all()
        for gradient in case.gradients().values():
            assert np.isfinite(gradient).all()
        scores = np.matmul(cache.query, cache.m.transpose(0, 2, 1))
        assert np.abs(scores).max() > 1e4
        for n, a_n in enumerate(module.alignment(cache)):
            np.testing.assert_allclose(a_n.sum(axis=1), 1, rtol=1e-6)
            best = scores[n, : len(a_n), : a_n.shape[1]].argmax(axis=1)
            np.testing.assert_array_equal(a_n.argmax(axis=1), best)


SUITE = {
    "naive": check_against_naive,
    "gradients": check_gradients,
    "alignments": check_alignments,
    "company": check_company,
    "strangers": check_strangers,
    "one step": check_one_step,
    "precision": check_precision,
    "huge scores": check_huge_scores,
}


@pytest.mark.parametrize("name", SUITE)
def test_attention(name: str) -> None:
    SUITE[name](attention)


# What is tested of the real module only


def test_the_two_orders_differ() -> None:
    """Lest the checks above pass because source and target happen to be packed alike."""
    case = random_case(attention)
    assert case.h.order.tolist() == [1, 3, 0, 2]
    assert case.memory.order.tolist() == [2, 0, 3, 1]


def test_by_hand() -> None:
    """h·W_a·m is log 3 for the first source step and 0 for the second: weights ¾ and ¼."""
    layer = attention.Attention(1, 1, 1)
    params = {"weight_a": np.array([[0.5]]), "weight_c": np.array([[2.0], [0.25]]), "bias_c": np.array([-0.5])}
    h = PackedSequence.pack([np.array([[2.0]])])
    memory = PackedSequence.pack([np.array([[math.log(3)], [0.0]])])
    out, cache = layer.forward(params, h, memory)
    np.testing.assert_allclose(cache.a, [[[0.75, 0.25]]], rtol=1e-15)
    np.testing.assert_allclose(out, [[math.tanh(2 * 0.75 * math.log(3) + 0.25 * 2 - 0.5)]], rtol=1e-15)


def test_what_init_gives_has_the_shapes_that_are_promised() -> None:
    layer = attention.Attention(30, 40, 20)
    params = layer.init(np.random.default_rng(0), np.dtype(np.float32))
    assert {name: value.shape for name, value in params.items()} == layer.shapes()
    assert layer.shapes() == {"weight_a": (30, 40), "weight_c": (70, 20), "bias_c": (20,)}
    assert {value.dtype.name for value in params.values()} == {"float32"}
    np.testing.assert_array_equal(params["bias_c"], 0)
    for name, bound in (("weight_a", math.sqrt(6 / 70)), ("weight_c", math.sqrt(6 / 90))):
        assert 0.95 * bound < np.abs(params[name]).max() <= bound * (1 + 1e-6)


@pytest.mark.parametrize("lengths", [([2], [1, 1]), ([2, 1], [1])])
def test_another_number_of_sources_is_refused(lengths: tuple[list[int], list[int]]) -> None:
    """One source would otherwise serve every target, without a word."""
    case = random_case(attention, lengths)
    with pytest.raises(ValueError, match=f"{len(lengths[1])} sequences cannot attend to {len(lengths[0])}"):
        case.out()


def test_what_goes_in_is_left_as_it_is() -> None:
    """Nor does backward use up the cache."""
    case = random_case(attention)
    before = {name: value.copy() for name, value in case.values().items()} | {"of_out": case.of_out.copy()}
    _, cache = case.layer.forward(case.params, case.h, case.memory)
    first, second = (case.layer.backward(case.params, cache, case.of_out) for _ in range(2))
    for name, value in (case.values() | {"of_out": case.of_out}).items():
        np.testing.assert_array_equal(value, before[name], err_msg=name)
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])
    for name, gradient in first[2].items():
        np.testing.assert_array_equal(gradient, second[2][name], err_msg=name)


def test_many_random_batches() -> None:
    """Lengths of every kind against each sequence alone."""
    rng = np.random.default_rng(8)
    for seed in range(30):
        N = int(rng.integers(1, 9))
        lengths = (rng.integers(1, 12, N).tolist(), rng.integers(1, 12, N).tolist())
        case = random_case(attention, lengths, seed)
        gradients = case.gradients()
        outputs, dmemory = case.h.with_data(case.out()).unpack(), case.memory.with_data(gradients["memory"]).unpack()
        for n in range(N):
            alone = of_sequences(case, [n])
            np.testing.assert_allclose(alone.out(), outputs[n], rtol=1e-11, atol=1e-13)
            np.testing.assert_allclose(alone.gradients()["memory"], dmemory[n], rtol=1e-10, atol=1e-13)


# The test of the tests


class Plant(NamedTuple):
    """``right`` replaced by ``wrong``, and the checks that must see it."""

    right: str
    wrong: str
    caught_by: str


BACKWARD = "gradients"

PLANTS = {
    "softmax's correction dropped": Plant("d_score -= a * d_score.sum(axis=-1, keepdims=True)", "pass", BACKWARD),
    "correction over the target's steps": Plant(
        "d_score.sum(axis=-1, keepdims=True)", "d_score.sum(axis=-2, keepdims=True)", BACKWARD
    ),
    "memory's order not matched": Plant(
        "_positions(h), _positions(memory)",
        "_positions(h), _positions(PackedSequence(memory.data, memory.batch_sizes, np.arange(len(memory.order))))",
        "naive, strangers, company",
    ),
    "neither order matched": Plant(
        "x.order[x.sequence_of_row] * T", "x.sequence_of_row * T", "naive, strangers, company"
    ),
    "memory's gradient left in the caller's order": Plant(
        "return dh, _rows(dm, m_positions), grads",
        "return dh, _rows(dm, np.sort(m_positions)), grads",
        "gradients, company",
    ),
    "alignments in packed order": Plant(
        "cache.memory.to_caller_order(cache.memory.lengths)", "cache.memory.lengths", "alignments, naive"
    ),
    "gradient of the context forgotten": Plant(
        "d_sum @ weight_c[:M].T, h, h_positions", "0 * (d_sum @ weight_c[:M].T), h, h_positions", BACKWARD
    ),
    "memory's gradient by the scores alone": Plant(
        "dm = np.matmul(a.transpose(0, 2, 1), d_context)", "dm = np.zeros_like(m)", BACKWARD
    ),
    "memory's gradient by the context alone": Plant(
        "dm += np.matmul(d_score.transpose(0, 2, 1), query)", "pass", BACKWARD
    ),
    "h's gradient not by the scores": Plant("dh += d_query @ weight_a.T", "pass", BACKWARD),
    "h's gradient not by its own half": Plant("dh = d_sum @ weight_c[M:].T", "dh = np.zeros_like(h.data)", BACKWARD),
    "gradient of W_a never filled": Plant("h.data.T @ d_query", "np.zeros_like(weight_a)", BACKWARD),
    "gradient of W_c, h's half never filled": Plant(
        "np.matmul(h.data.T, d_sum, out=d_weight_c[M:])", "d_weight_c[M:] = 0", BACKWARD
    ),
    "gradient of b_c, a mean": Plant("d_sum.sum(axis=0)}", "d_sum.mean(axis=0)}", "gradients, company"),
    "slope of tanh forgotten": Plant("d_sum = 1 - out * out", "d_sum = np.ones_like(out)", BACKWARD),
    "h's half of W_c forgotten": Plant('out += h.data @ params["weight_c"][M:]', "pass", "naive, gradients"),
    "padding has a share in the softmax": Plant(
        "np.copyto(score, -np.inf, where=~is_source[:, None, :])", "pass", "naive, alignments, company"
    ),
    "weights where there is no target step": Plant(
        "np.copyto(total, np.inf, where=~is_target[:, :, None])", "pass", "alignments"
    ),
    "softmax over the target's steps too": Plant(
        "total = score.sum(axis=-1, keepdims=True)",
        "total = score.sum(axis=(1, 2), keepdims=True).repeat(score.shape[1], axis=1)",
        "naive, alignments, one step",
    ),
    "target step t sees the source up to t": Plant(
        "score = np.matmul(query, m.transpose(0, 2, 1))",
        "score = np.matmul(query, m.transpose(0, 2, 1))\n"
        "        score += np.triu(np.full(score.shape[1:], -50.0, score.dtype), 1)",
        "naive, one step",
    ),
    "maximum not taken off": Plant("score -= score.max(axis=-1, keepdims=True)", "pass", "huge scores"),
    "float64 leaks in": Plant("np.zeros((N * T, D), rows.dtype)", "np.zeros((N * T, D))", "precision"),
}


def module_with(plant: Plant | None) -> ModuleType:
    """The module from its own source but for the plant."""
    source = Path(attention.__file__).read_text(encoding="utf-8")
    if plant:
        assert source.count(plant.right) == 1, "attention.py has changed: this plant must be written anew"
        source = source.replace(plant.right, plant.wrong)
    module = ModuleType("attention_with_a_plant")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, module.__name__, module)  # dataclasses look their module up while they are made
        exec(compile(source, f"{module.__name__}.py", "exec"), module.__dict__)
    return module


def refusals(module: ModuleType, names: list[str]) -> set[str]:
    refused = set()
    for name in names:
        try:
            SUITE[name](module)
        except (AssertionError, FloatingPointError):
            refused.add(name)
    return refused


def test_without_a_plant_nothing_is_refused() -> None:
    module = module_with(None)
    assert module.Attention is not attention.Attention
    assert refusals(module, list(SUITE)) == set()


@pytest.mark.parametrize("name", PLANTS)
def test_planted_bug_is_refused(name: str) -> None:
    expected = PLANTS[name].caught_by.split(", ")
    assert refusals(module_with(PLANTS[name]), expected) == set(expected)


def test_every_check_catches_something() -> None:
    assert {check for plant in PLANTS.values() for check in plant.caught_by.split(", ")} == SUITE.keys()
