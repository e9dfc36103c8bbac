"""Spans of tags, in all schemes: by hand, and against what seqeval counts (tests/golden/make_spans.py)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rnncli.tasks.metrics import LabelScore
from rnncli.tasks.tag.spans import scheme_of, score_spans, spans

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parents[1] / "golden" / "spans.json").read_text())
LETTERS = {"BILOU": "ILU", "BMES": "MES", "BMEW": "MEW"}  # in place of IES


def scheme(sentences: list[str]) -> str | None:
    """Of sentences whose tags have spaces between them."""
    return scheme_of([tags.split() for tags in sentences], set(" ".join(sentences).split()))


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("O B-PER I-PER O", {(1, 3, "PER")}),
        ("B-PER B-PER", {(0, 1, "PER"), (1, 2, "PER")}),
        ("I-LOC I-LOC I-PER", {(0, 2, "LOC"), (2, 3, "PER")}),
        ("B-PER I-LOC O I-LOC", {(0, 1, "PER"), (1, 2, "LOC"), (3, 4, "LOC")}),
        ("O O", set()),
        ("S-ORG O B-ORG E-ORG", {(0, 1, "ORG"), (2, 4, "ORG")}),
        ("B-ORG I-ORG E-ORG E-ORG", {(0, 3, "ORG"), (3, 4, "ORG")}),
        ("S-ORG I-ORG", {(0, 1, "ORG"), (1, 2, "ORG")}),
        ("B-ORG E-LOC", {(0, 1, "ORG"), (1, 2, "LOC")}),
        ("I-A E-A I-A E-A E-A", {(0, 2, "A"), (2, 4, "A"), (4, 5, "A")}),
        ("U-A B-A I-A L-A", {(0, 1, "A"), (1, 4, "A")}),
        ("B M M E S B E", {(0, 4, "_"), (4, 5, "_"), (5, 7, "_")}),
        ("B-a\N{NO-BREAK SPACE}b I-a\N{NO-BREAK SPACE}b O", {(0, 2, "a\N{NO-BREAK SPACE}b")}),
        ("b-per i-per o", {(0, 2, "per")}),
        ("B-side-effect I-side-effect", {(0, 2, "side-effect")}),
    ],
)
def test_spans_by_hand(tags: str, expected: set[tuple[int, int, str]]) -> None:
    assert spans(tags.split(" ")) == expected


@pytest.mark.parametrize(
    ("sentences", "name"),
    [
        (["B-A I-A O B-A B-A"], "IOB2"),
        (["I-A I-A B-A O I-B"], "IOB1"),
        (["I-A I-A O"], "IOB1"),
        (["I-A O", "B-A I-A"], "IOB"),
        (["I-A E-A O E-B"], "IOE"),
        (["S-A O B-A E-A"], "BIOES"),
        (["S-A O S-B O"], "BIOES"),
        (["U-A O B-A I-A L-A"], "BILOU"),
        (["B-A M-A E-A O S-A"], "BMES"),
        (["B M E S"], "BMES"),
        (["B M E W"], "BMEW"),
        (["B I O"], "IOB2"),
        (["o b-a i-a"], "IOB2"),
        (["DET NOUN"], None),
        (["O O"], None),
        (["I M O"], None),
        (["B O"], None),
        (["B-A X-A"], None),
        (["B-A L-A W-A"], None),
        (["B-A 0"], None),
        ([], None),
    ],
)
def test_the_scheme_is_recognised(sentences: list[str], name: str | None) -> None:
    assert scheme(sentences) == name


def counted(truth: list[str], predicted: list[str]) -> dict[str, list[float]]:
    found = score_spans([of.split() for of in truth], [of.split() for of in predicted])
    assert found is not None
    return {s.label: [s.precision, s.recall, s.f1, s.support] for s in (*found.by_type, found.all)}


@pytest.mark.parametrize(("case", "mode"), [("lawful", "strict"), ("lawless", "default")])
@pytest.mark.parametrize("name", GOLDEN)
def test_what_seqeval_counts(name: str, case: str, mode: str) -> None:
    """Its default mode in all cases; where tags keep to the rules of their scheme, its strict mode says the same."""
    golden = GOLDEN[name]
    if mode not in golden:
        assert (name, mode) == ("BILOU", "default")  # which the same tags as BIOES stand for below
        return
    expected = {type.replace("micro avg", "all"): scores for type, scores in golden[mode].items()}
    found = counted(golden["truth"], golden[case])
    assert found.keys() == expected.keys()
    for type, scores in expected.items():
        assert found[type] == pytest.approx(scores, abs=1e-12), type
    assert 0 < expected["all"][2] < 1


@pytest.mark.parametrize("name", LETTERS)
def test_letters_of_other_schemes_mean_the_same(name: str) -> None:
    table = str.maketrans("IES", LETTERS[name])

    def translated(sentences: list[str]) -> list[str]:
        return [" ".join(tag[0].translate(table) + tag[1:] for tag in tags.split()) for tags in sentences]

    golden = GOLDEN["BIOES"]
    assert scheme(translated(golden["truth"])) == name
    expected = counted(golden["truth"], golden["lawless"])
    assert counted(translated(golden["truth"]), translated(golden["lawless"])) == expected


def test_scores_by_hand() -> None:
    truth = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-LOC"]]
    told = [["B-PER", "I-PER", "O", "O"], ["B-LOC", "I-LOC"]]
    found = score_spans(truth, told)
    assert found is not None
    # One of three true spans is found; two are predicted.
    assert found.all == LabelScore(label="all", precision=1 / 2, recall=1 / 3, f1=2 / 5, support=3)
    assert found.by_type == (
        LabelScore(label="LOC", precision=0.0, recall=0.0, f1=0.0, support=2),
        LabelScore(label="PER", precision=1.0, recall=1.0, f1=1.0, support=1),
    )
    assert found.scheme == "IOB2"
    assert score_spans([["DET", "NOUN"]], [["DET", "NOUN"]]) is None
    assert score_spans([["O"]], [["O"]]) is None
    none_found = score_spans([["B-A"]], [["O"]])
    assert none_found is not None
    assert (none_found.all.precision, none_found.all.f1) == (0.0, 0.0)
