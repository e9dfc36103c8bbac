"""A page on one input: well formed, inert whatever stands in it, bounded, with the numbers of inspection."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import math
import re
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attacks import ATTACKS, dangers
from page_examples import MODELS, RECORD, WORDS, captions, classifier, pairs, several, tagger, text

from rnncli.clean import clean
from rnncli.inspection.adapters import adapter_of
from rnncli.inspection.flow import flow
from rnncli.inspection.memory import memory
from rnncli.inspection.page.page import EPOCHS, ROWS, SOURCES, page
from rnncli.inspection.page.reasons import MOST_GRADIENTS, passages
from rnncli.inspection.terms import terms
from rnncli.inspection.why import why
from rnncli.page_results import Page
from rnncli.record import Record
from rnncli.render.html_page import MOST_BYTES, html_page
from rnncli.tasks.inputs import shorten
from rnncli.tasks.model import Model

VOID = {"meta", "input", "br", "hr", "img", "link"}
ALLOWED = {
    *("html", "head", "meta", "title", "style", "script", "body", "header", "nav", "main", "section", "footer"),
    *("h1", "h2", "h3", "p", "strong", "b", "code", "bdi", "ol", "ul", "li", "a", "dl", "div", "dt", "dd"),
    *("details", "summary", "figure", "figcaption", "span", "button", "input", "label", "output"),
    *("table", "caption", "thead", "tbody", "tr", "th", "td", "svg", "g", "path", "rect", "text"),
}


class Read(HTMLParser):
    """The elements of a page; fails where they do not stand in one another as they should."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.content: dict[str, list[str]] = {"style": [], "script": [], "title": [], "h1": []}
        self.shown: list[str] = []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), "an attribute appears twice"
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID and not self.get_starttag_text().endswith("/>"):  # type: ignore[union-attr]
            self.open.append(tag)
            if tag in self.content:
                self.content[tag].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> ends nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in self.content:
            if tag in self.open:
                self.content[tag][-1] += data
        if not {"style", "script"} & set(self.open):
            self.shown.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def named(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def data(self) -> Any:
        return json.loads(self.content["script"][0], parse_constant=pytest.fail)


def of(model: Model, text: str | None = None, answer: str | None = None) -> tuple[Page, Read]:
    made = page(model, text, answer, "runs/films/model.safetensors")
    return made, Read(html_page(made))


@pytest.fixture(params=MODELS, scope="module")
def each(request: pytest.FixtureRequest) -> tuple[Model, Page, Read]:
    model = MODELS[request.param]()
    return model, *of(model)


def test_the_document(each: tuple[Model, Page, Read]) -> None:
    _, _, read = each
    tags = [name for name, _ in read.elements]
    assert set(tags) <= ALLOWED
    for once in ("h1", "main", "header", "nav", "footer", "title", "style"):
        assert tags.count(once) == 1
    assert read.named("html") == [{"lang": "en"}]
    assert read.content["title"][0].strip()
    assert {"charset": "utf-8"} in read.named("meta")
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    ids = [attributes["id"] for _, attributes in read.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for link in read.named("a"):
        assert link["href"][:1] == "#"
        assert link["href"][1:] in ids
    for _, attributes in read.elements:
        for name in ("aria-labelledby", "for"):
            assert attributes.get(name, ids[0]) in ids


def test_every_control_and_picture_has_a_name(each: tuple[Model, Page, Read]) -> None:
    _, _, read = each
    labelled = {label["for"] for label in read.named("label")}
    assert read.named("input")
    assert all(control["id"] in labelled for control in read.named("input"))
    for picture in read.named("svg"):
        assert picture.get("aria-label") or picture.get("aria-hidden") == "true"
    assert all(table.get("aria-label") for table in read.named("div") if table.get("role") == "region")
    assert all(heading.get("scope") for heading in read.named("th"))


def assert_inert(source: str, read: Read) -> None:
    """Nothing but the one style sheet and the one script counts, and neither asks anybody for anything."""
    (policy,) = (meta["content"] for meta in read.named("meta") if "http-equiv" in meta)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    (style,), (data, script) = read.content["style"], read.content["script"]
    for name, own in (("style-src", style), ("script-src", script)):
        assert rules.pop(name) == f"'sha256-{base64.b64encode(hashlib.sha256(own.encode()).digest()).decode()}'"
    assert rules == {"default-src": "'none'", "base-uri": "'none'", "form-action": "'none'"}
    assert source.index("http-equiv") < source.index("<style")
    assert read.named("script") == [{"type": "application/json", "id": "data"}, {}]
    for _, attributes in read.elements:
        assert not {"style", "src", "srcset", "data", "action", "formaction", "background"} & attributes.keys()
        assert not any(name.startswith("on") or ":" in name for name in attributes)
        assert attributes.get("href", "#").startswith("#")
    assert not set("<>&\u2028\u2029") & set(data)
    assert data.isascii()
    assert not re.search(r"https?:|url\(|@import|//[a-z]", style)
    assert re.findall(r"https?://[^\s\"']+", script) == ["http://www.w3.org/2000/svg"]  # a name, not an address
    for forbidden in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval", "Function(", "fetch"):
        assert forbidden not in script
    for forbidden in ("XMLHttp", "WebSocket", "sendBeacon", "import(", "new Image", "localStorage", "cookie"):
        assert forbidden not in script
    assert dangers(source) == set()


def test_nothing_is_asked_of_anybody(each: tuple[Model, Page, Read]) -> None:
    _, made, read = each
    assert_inert(html_page(made), read)


def test_the_same_page_gives_the_same_bytes(each: tuple[Model, Page, Read]) -> None:
    model, made, _ = each
    assert html_page(page(model, None, None, "runs/films/model.safetensors")) == html_page(made)


# --- hostile texts ---------------------------------------------------------------------------------------------------

HOSTILE = [*ATTACKS, "</script>", "<!--", "\u202e<b>\u2066", '"onmouseover="alert(1)', "javascript:alert(1)"]
# Those that can stand in a model's file: texts that are not empty, and that UTF-8 can write.
NAMES = tuple(dict.fromkeys(one for one in HOSTILE if one.strip() and not re.search("[\ud800-\udfff]", one)))


def with_texts(value: Any, texts: Iterator[str]) -> Any:
    """The same numbers, and the next of the texts wherever there is one."""
    if isinstance(value, str):
        return next(texts)
    if isinstance(value, tuple):
        return tuple(with_texts(item, texts) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{entry.name: with_texts(getattr(value, entry.name), texts) for entry in fields(value)})
    return value


@pytest.mark.parametrize("first", range(0, len(HOSTILE), 10))
def test_a_hostile_text_in_every_field_is_inert(first: int) -> None:
    """Every field its own, and each field each of several: test_html_parts.py has every text in every way in."""
    small = page(replace(pairs(cell="rnn", hidden=2), record=RECORD), "10")  # type: ignore[type-var]
    made = with_texts(small, itertools.cycle(HOSTILE[first:] + HOSTILE[:first]))
    source = html_page(made)
    read = Read(source)
    assert_inert(source, read)
    assert {name for name, _ in read.elements} <= ALLOWED
    assert made.text == HOSTILE[first]
    for shown in (read.content["title"][0], read.content["h1"][0]):
        assert clean(made.text, 60) in shown
        assert clean(made.reasons.answer, 40) in shown
    assert [step["token"] for step in read.data["steps"]] == [clean(step.token, 40) for step in made.steps]


@pytest.mark.parametrize(
    "build",
    [
        lambda: classifier(labels=NAMES, words=tuple(dict.fromkeys((*WORDS, *NAMES)))),
        lambda: several(labels=NAMES, words=tuple(dict.fromkeys((*WORDS, *NAMES)))),
        lambda: tagger(tuple(dict.fromkeys("".join(name.split()) for name in NAMES))),
        lambda: pairs(NAMES),
        lambda: captions(NAMES, ("<script>", "\u202eb", '"onload="')),
        lambda: text("word", NAMES),
    ],
    ids=["classify", "multilabel", "tag", "seq2seq", "caption", "lm"],
)
def test_hostile_labels_and_tokens_are_inert(build: Callable[[], Model]) -> None:
    model = build()
    record = replace(RECORD, data="</style><script>alert(1)</script>")
    made, read = of(replace(model, record=record))  # type: ignore[type-var]
    assert_inert(html_page(made), read)
    assert {name for name, _ in read.elements} <= ALLOWED
    assert "</style><script>alert(1)</script>" in "".join(read.shown)


# --- the numbers -----------------------------------------------------------------------------------------------------


def test_the_steps_are_those_of_the_trace(each: tuple[Model, Page, Read]) -> None:
    model, made, read = each
    trace = adapter_of(model).trace(None)
    answers = trace.probabilities
    assert len(read.data["steps"]) == len(trace.tokens) == made.steps_total
    for t, step in enumerate(read.data["steps"]):
        assert step["place"] == t + 1
        assert step["known"] == trace.known[t]
        assert dict(step["numbers"])["‖h‖"] == pytest.approx(float(trace.norm[t]), rel=1e-5)
        assert [dict(step["numbers"])[name] for name in trace.numbers] == pytest.approx(
            [float(of[t]) for of in trace.numbers.values()], rel=1e-5
        )
        if not trace.labels:  # predictions are numbers
            assert step["answers"] == []
            continue
        first, others = int(trace.chosen[t]), answers[t].tolist()
        if trace.sets:  # all labels together, and each by itself
            chosen = [p if label in trace.sets[t] else 1 - p for label, p in zip(trace.labels, others, strict=True)]
            expected, said = [math.prod(chosen), *sorted(others, reverse=True)], ", ".join(trace.sets[t]) or "(none)"
        else:
            expected = [others.pop(first), *sorted(others, reverse=True)][:5]  # a beam tells others than the surest
            said = trace.labels[first]
        assert [p for _, p in step["answers"]] == pytest.approx(expected, rel=1e-5)
        assert step["answers"][0][0] in (said, "␣")
    slider = read.named("input")[0]
    assert (slider["type"], slider["min"], slider["max"]) == ("range", "1", str(len(trace.tokens)))


def test_the_heat_maps_are_states_and_gates(each: tuple[Model, Page, Read]) -> None:
    model, made, read = each
    found = flow(
        adapter_of(model).open(None)
        if model.labelled
        else adapter_of(model).open(model.example + made.reasons.predicted)
    )
    values = [(cell, what, of) for cell in found.cells for what, of in cell.values.items()]
    assert len(made.grids) == len(values) > 0
    for (cell, what, expected), drawn in zip(values, read.data["maps"], strict=False):
        assert drawn["of"] == f"{what} of {cell.name} {cell.direction}"
        np.testing.assert_allclose(np.array(drawn["values"]).T, expected, rtol=1e-3, atol=1e-12)
        line = read.data["timelines"][drawn["timeline"]]
        assert len(line["names"]) == len(expected)
        follows = cell.steps == found.cell().steps
        assert line["steps"] == (list(range(len(expected))) if follows else [-1] * len(expected))
    assert len(found.cell().steps) == made.steps_total  # a column for every place of the slider
    drawn = [picture for picture in read.named("svg") if picture.get("class") == "map"]
    assert len(drawn) == len(made.grids) + bool(made.source)
    assert all(re.search(r"the least is|looks most", picture["aria-label"]) for picture in drawn)


def test_the_effects_are_those_of_why(each: tuple[Model, Page, Read]) -> None:
    model, made, read = each
    found = why(adapter_of(model).question(None))
    assert [effect["effect"] for effect in read.data["effects"]] == pytest.approx(found.effects.tolist(), rel=1e-5)
    assert [effect["replaced"] for effect in read.data["effects"]] == pytest.approx(found.replaced.tolist(), rel=1e-5)
    if found.deleted is not None:
        assert [effect["deleted"] for effect in read.data["effects"]] == pytest.approx(found.deleted.tolist(), rel=1e-5)
    words = [button for button in read.named("button") if "word" in button.get("class", "")]
    assert len(words) == len(found.parts)
    for button, effect in zip(words, found.effects.tolist(), strict=True):
        assert ("minus" in button["class"]) == (effect < 0)
    assert made.reasons.predicted == found.answer
    if made.reasons.score_is.startswith(("sum of", "predicted number")):
        assert made.reasons.probability is None
    else:
        assert 0 <= made.reasons.probability <= 1


def test_terms_and_memory_are_those_of_inspection(each: tuple[Model, Page, Read]) -> None:
    model, made, read = each
    found = flow(
        adapter_of(model).open(None)
        if model.labelled
        else adapter_of(model).open(model.example + made.reasons.predicted)
    )
    for shown, kind in zip(made.terms, ("weight_ih", "weight_hh"), strict=True):
        one = terms(found, f"{found.cell().name}/{kind}")
        assert shown.parameter == one.parameter
        assert [row.share for row in shown.rows] == pytest.approx(one.shares.tolist())
        assert [row.norm for row in shown.rows] == pytest.approx(one.norms.tolist())
        residual = f"{one.residual:.1e}".replace("-", "−") if one.residual else "0"
        assert f"by {residual} at most" in "".join(read.shown)
    for arrives, cell in zip(made.memory, found.cells, strict=True):
        assert [share for _, _, share in arrives.rows] == pytest.approx(memory(cell).kept.shares.tolist())
        assert arrives.sentence == memory(cell).sentence


def test_the_probability_is_that_of_predict() -> None:
    model = classifier(labels=("bad", "fair", "good"), dtype="float64")
    (predicted,) = model.predict(["the film was good"])
    for label, p in predicted.probabilities.items():
        made, read = of(model, "the film was good", answer=label)
        assert made.reasons.probability == pytest.approx(p, rel=1e-9)
        assert made.reasons.predicted == predicted.label
        assert ("the model itself answers" in "".join(read.shown)) == (label != predicted.label)


def test_where_attention_looks() -> None:
    model = pairs()
    made, read = of(model)
    trace: Any = adapter_of(model).trace(None)
    drawn = read.data["maps"][-1]
    assert drawn["of"] == "attention"
    np.testing.assert_allclose(np.array(drawn["values"]).T, trace.alignment, rtol=1e-3)
    assert [name.rsplit(" ", 1)[0] for name in drawn["rows"]] == [s.replace(" ", "␣") for s in trace.source]
    assert len(made.source) == len(trace.source)
    long, read = of(model, "ab:" * 60)
    assert len(long.source) == len(read.data["maps"][-1]["rows"]) == SOURCES
    assert "Of 180 source symbols there are the 60 that attention looks at most." in "".join(read.shown)
    weights: Any = adapter_of(model).trace("ab:" * 60)
    for row, (place, _) in zip(read.data["maps"][-1]["values"], long.source, strict=True):
        np.testing.assert_allclose(row, weights.alignment[: len(row), place - 1], rtol=1e-3)


def test_learning_curves() -> None:
    _, read = of(classifier())
    drawn = [picture["aria-label"] for picture in read.named("svg") if picture.get("class") == "curves"]
    assert drawn == [
        "Loss: training 1.0000 at epoch 1, 0.2000 at epoch 5; validation 0.7000 at epoch 1, 0.7000 at epoch 5; "
        "best epoch 3",
        "Accuracy: validation 0.6000 at epoch 1, 0.6000 at epoch 5; best epoch 3",
    ]
    _, read = of(replace(classifier(), record=Record()))  # type: ignore[type-var]
    assert "training" not in {section.get("id") for section in read.named("section")}


# --- large ones ------------------------------------------------------------------------------------------------------


def assert_small(source: str, read: Read) -> None:
    assert len(source.encode()) < MOST_BYTES
    assert_inert(source, read)
    assert len(read.data["steps"]) <= 160
    assert len(read.data["effects"]) <= MOST_GRADIENTS


def test_a_page_of_a_long_text_and_a_large_model_is_bounded(tmp_path: Path) -> None:
    """As a process of its own, where OpenBLAS is set up as on the command line."""
    long = " ".join(np.random.default_rng(0).choice(WORDS, 5_000))
    model = classifier(hidden=200, bidirectional=False, embedding=8, max_length=170)
    model.save(tmp_path / "m.safetensors")
    command = [sys.executable, "-m", "rnncli", "inspect", "-m", "m.safetensors", long, "--html", "x.html"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    source = (tmp_path / "x.html").read_text("utf-8")
    read = Read(source)
    assert_small(source, read)
    said = "".join(read.shown)
    assert "The model does not read 4,830 words in the middle of so long an input." in said
    assert "The timesteps are 160 of 170: the first 40 and the last 120." in said
    assert "The heat maps have 24 units of each layer" in said
    assert f"the {ROWS} largest are listed" in said
    assert "… 4,830 words …" in said
    assert "The 12 words with the largest ones have been left out alone, too" in said
    assert "--full --json" in said
    assert [step["place"] for step in read.data["steps"]] == [*range(1, 41), *range(51, 171)]
    assert len(read.data["effects"]) == 170


def test_each_word_of_a_long_text_has_its_integrated_gradient() -> None:
    long = " ".join(np.random.default_rng(0).choice(WORDS, 150))
    model = classifier()
    found, read = of(model, long)
    why_so = why(adapter_of(model).question(long))
    assert why_so.integrated is not None
    assert [effect.effect for effect in found.reasons.effects] == why_so.integrated.tolist()
    assert "A word without a number has next to none." in "".join(read.shown)
    alone = [effect.replaced for effect in found.reasons.effects]
    assert alone == [None if np.isnan(x) else x for x in why_so.replaced.tolist()]
    assert sum(x is not None for x in alone) == 5_000 // 150
    assert_small(html_page(found), read)


def test_a_text_too_long_for_that_is_asked_about_in_passages() -> None:
    found, read = of(text(), "ab" * 400)
    assert 14 <= len(found.reasons.effects) <= 21
    assert "The input has 800 chars" in "".join(read.shown)
    assert_small(html_page(found), read)


def test_passages_cover_what_is_read_and_nothing_else() -> None:
    for count, cut in ((121, 0), (5_000, 0), (5_000, 4_830), (200, 198), (10_000, 1)):
        read = shorten(np.arange(count), count - cut)
        found = passages(read)
        assert [place for passage in found for place in passage] == read.tolist()
        assert len(found) <= 34


def test_a_page_of_many_layers_labels_and_epochs_of_odd_names_is_bounded() -> None:
    odd = tuple(f"{k}" + "Z\u0301\u0316&'<" * 40 for k in range(600))
    epochs = tuple(replace(RECORD.epochs[0], epoch=k, best=k == 777) for k in range(1, 3_001))
    made = classifier(labels=odd, words=(*WORDS, *odd), layers=8, hidden=30, max_length=40)
    record = replace(RECORD, epochs=epochs, best_epoch=777)
    found, read = of(replace(made, record=record), " ".join(odd[:100]))  # type: ignore[type-var]
    assert_small(html_page(found), read)
    assert EPOCHS <= len(found.epochs) <= EPOCHS + 1
    assert {1, 777, 3_000} <= {epoch.number for epoch in found.epochs}


def test_a_page_that_is_too_large_loses_heat_maps(monkeypatch: pytest.MonkeyPatch) -> None:
    made = page(classifier(hidden=30))
    whole = html_page(made)
    monkeypatch.setattr("rnncli.render.html_page.MOST_BYTES", len(whole.encode()) - 1)
    fewer = html_page(made)
    assert len(fewer) < len(whole)
    assert "All 30 units" in whole
    assert "All 30 units" not in fewer
    monkeypatch.setattr("rnncli.render.html_page.MOST_BYTES", len(fewer.encode()) - 1)
    assert 'class="map"' not in html_page(made)
    assert "would make this file too large" in html_page(made)
    Read(html_page(made))


def test_one_token() -> None:
    for model, token in ((classifier(), "film"), (tagger(), "film"), (pairs(), "a"), (text(), "a")):
        made, read = of(model, token)
        assert made.grids
        assert_inert(html_page(made), read)


def test_signs_do_without_colour() -> None:
    made, read = of(classifier())
    for effect in made.reasons.effects:
        sign = "−" if effect.effect < 0 else "+"
        assert any(data.startswith(sign) for data in read.shown)
    assert all(unicodedata.category(data[0]) != "Cf" for data in read.shown if data)


@pytest.mark.parametrize(("low", "high"), [(0.0, 5e-324), (5e-324, 5e-324), (0.0, 1e-308), (-1e100, 1e100), (0.0, 0.0)])
def test_ticks_lie_around_any_two_numbers(low: float, high: float) -> None:
    from rnncli.render.html_charts import _ticks

    ticks = _ticks(low, high)
    rounding = 1e-9 * (high - low)
    assert ticks[0] - rounding <= low <= high <= ticks[-1] + rounding
    assert len(ticks) < 12
