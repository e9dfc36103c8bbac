"""Texts with annotated spans, as the tools write them: the words get tags, cut as a tagger cuts a text."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rnncli
from rnncli.data.dataset import Dataset, Source
from rnncli.data.opening import read_dataset
from rnncli.data.text.tagged_spans import Span, tag_words
from rnncli.errors import DataError, UsageError
from rnncli.tasks import task_for
from rnncli.tasks.tag.model import words_of

Spans = list[tuple[int, int, str]]
RECORDS: list[tuple[str, Spans]] = [
    ("Ada came to New York.", [(0, 3, "PER"), (12, 20, "A place")]),
    ("Nothing here", []),
    ("😀 Zoé naïve – İpek<br />so", [(2, 5, "PER"), (14, 18, "PER")]),
]
WORDS = [
    ("Ada", "came", "to", "New", "York", "."),
    ("Nothing", "here"),
    ("😀", "Zoé", "naïve", "–", "İpek", "so"),
]
TAGS = [
    ("B-PER", "O", "O", "B-A place", "I-A place", "O"),
    ("O", "O"),
    ("O", "B-PER", "O", "O", "B-PER", "O"),
]


def objects(spans: Spans, begin: str = "start", end: str = "end", type: str = "label") -> list[dict[str, Any]]:
    return [{begin: b, end: e, type: t} for b, e, t in spans]


def label_studio(text: str, spans: Spans) -> dict[str, Any]:
    result = [
        {"value": {"start": b, "end": e, "text": text[b:e], "labels": [t]}, "id": "x", "type": "labels"}
        for b, e, t in spans
    ]
    cancelled = {"result": [], "was_cancelled": True}
    return {"id": 1, "annotations": [cancelled, {"result": result, "was_cancelled": False}], "data": {"text": text}}


# tool → the record that it writes
TOOLS: dict[str, Callable[[str, Spans], Any]] = {
    "Doccano": lambda text, spans: {"id": 3, "text": text, "label": spans, "Comments": []},
    "older Doccano": lambda text, spans: {"text": text, "meta": {}, "labels": spans},
    "Doccano with relations": lambda text, spans: {
        "id": 3,
        "text": text,
        "entities": [{"id": 1, **one} for one in objects(spans, "start_offset", "end_offset")],
        "relations": [],
    },
    "Label Studio": label_studio,
    "Label Studio, the small export": lambda text, spans: {
        "text": text,
        "label": [{"start": b, "end": e, "text": text[b:e], "labels": [t]} for b, e, t in spans],
    },
    "Prodigy": lambda text, spans: {
        "text": text,
        "tokens": [{"text": "so", "start": 0, "end": 2, "id": 0}],
        "spans": [{"token_start": 0, **one} for one in objects(spans)],
        "answer": "accept",
    },
    "spaCy's documents": lambda text, spans: {"text": text, "ents": objects(spans), "sents": [{"start": 0, "end": 3}]},
    "spaCy's annotations": lambda text, spans: {"content": text, "annotation": {"entities": spans}},
    "a pipeline of transformers": lambda text, spans: {
        "sentence": text,
        "entities": objects(spans, type="entity_group"),
    },
    "spans in a text": lambda text, spans: {"text": text, "label": json.dumps(spans)},
    "tuples of Python": lambda text, spans: {"text": text, "label": repr(spans)},
}


def read(tmp_path: Path, records: list[Any], name: str = "a.jsonl", **how: Any) -> Dataset:
    path = tmp_path / name
    lines = [json.dumps(record, ensure_ascii=False) for record in records]
    text = "".join(f"{line}\n" for line in lines) if name.endswith(".jsonl") else f"[{', '.join(lines)}]"
    path.write_text(text, encoding="utf-8")
    return read_dataset(Source(str(path), **how))


@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
@pytest.mark.parametrize("tool", TOOLS)
def test_the_words_of_spans_are_tagged(tool: str, name: str, tmp_path: Path) -> None:
    dataset = read(tmp_path, [TOOLS[tool](text, spans) for text, spans in RECORDS], name)
    assert task_for(dataset, "auto").name == "tag"
    assert list(dataset.inputs) == WORDS
    assert list(dataset.labels) == TAGS
    assert "as tags of the words" in dataset.why


@pytest.mark.parametrize(
    ("text", "spans", "tags", "widened"),
    [
        ("unhappy people", [(2, 7, "A")], "B-A O", 1),
        ("unhappy people", [(2, 10, "A")], "B-A I-A", 1),
        (" so it ", [(0, 4, "A"), (4, 7, "B")], "B-A B-B", 0),
        ("Cafe\u0301 in Zu\u0308rich", [(0, 5, "A"), (9, 16, "B")], "B-A O B-B", 0),
        ("Cafe\u0301 in Zu\u0308rich", [(0, 4, "A")], "B-A O O", 0),
        ("a<br />b", [(7, 8, "A")], "O B-A", 0),
    ],
)
def test_a_span_inside_a_word_is_widened(text: str, spans: Spans, tags: str, widened: int) -> None:
    found = tag_words(text, [Span(*span) for span in spans])
    assert (" ".join(found.tags), found.widened) == (tags, widened)
    assert list(found.words) == words_of(text)


def test_how_many_were_widened_is_said(tmp_path: Path) -> None:
    dataset = read(tmp_path, [{"text": "unhappy people", "label": [[2, 7, "A"], [8, 14, "B"]]}] * 3)
    assert "3 of 6 spans begin or end inside a word, and were widened to all of it" in dataset.why


@pytest.mark.parametrize(
    ("spans", "problem"),
    [
        (
            [(0, 5, "A"), (3, 9, "B")],
            "the spans 'so it' (A, 0 to 5) and 'it was' (B, 3 to 9) overlap, and a word has one",
        ),
        ([(0, 1, "A"), (1, 2, "B")], "the spans 's' (A, 0 to 1) and 'o' (B, 1 to 2) overlap"),
        ([(3, 30, "A")], "the span from 3 to 30 (A) is not in the text, which has 14 characters"),
        ([(-3, 2, "A")], "the span from -3 to 2 (A) is not in the text"),
        ([(5, 3, "A")], "the span from 5 to 3 (A) is not in the text"),
        ([(2, 3, "A")], "the span '' (A, 2 to 3) holds no word"),
        ([(0, 2, "")], "'label' holds something else than spans ([0,2,\"\"])"),
        ([("0", 2, "A")], '\'label\' holds something else than spans (["0",2,"A"])'),
    ],
)
def test_a_span_that_cannot_be_a_tag_is_refused_with_its_line(spans: Any, problem: str, tmp_path: Path) -> None:
    records = [{"text": "so it was once", "label": [[0, 2, "A"]]}] * 3 + [{"text": "so it was once", "label": spans}]
    with pytest.raises(DataError) as caught:
        read(tmp_path, records)
    assert caught.value.message.startswith(f"{tmp_path}/a.jsonl:4: {problem}")
    assert len(read(tmp_path, records, skip_bad=True).inputs) == 3


def test_places_in_other_units_are_noticed(tmp_path: Path) -> None:
    """Of UTF-16, as JavaScript counts."""
    records = [label_studio(text, spans) for text, spans in RECORDS]
    records[2]["annotations"][1]["result"][0]["value"].update(start=3, end=6)
    with pytest.raises(DataError) as caught:
        read(tmp_path, records)
    assert ":3: the span 'oé' (PER, 3 to 6) should be 'Zoé'; places are code points" in caught.value.message


def test_annotations_that_differ_are_refused(tmp_path: Path) -> None:
    records = [label_studio(text, spans) for text, spans in RECORDS]
    records[0]["annotations"].append({"result": []})
    with pytest.raises(DataError, match=":1: 2 annotations that differ; keep one of them"):
        read(tmp_path, records)


def test_a_tagger_of_spans_cuts_a_text_as_it_was_trained(tmp_path: Path) -> None:
    records = [TOOLS["Doccano"](text, spans) for text, spans in RECORDS[:2] * 6]
    source = read(tmp_path, records).source
    model = rnncli.train(source.path, runs=tmp_path / "runs", epochs=2, hidden=4, embedding=4, workers=1)
    (answer,) = rnncli.predict([RECORDS[2][0]], model)
    assert answer.tokens == WORDS[2]
    by_file = rnncli.predict(tmp_path / "a.jsonl", model)
    assert [one.tokens for one in by_file] == WORDS[:2] * 6
    assert rnncli.evaluate(source.path, model).spans.scheme == "IOB2"
    for wrong in ([1, 2], ["a", 1], [["a"]]):
        with pytest.raises(UsageError, match="input 1: a tagger reads a text or a list of words, and not "):
            rnncli.predict([wrong], model)
