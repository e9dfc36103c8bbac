"""What a file is likely something else than it would be read as: refused, with what was seen; and what is not."""

from __future__ import annotations

import gzip
import json
import random
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from rnncli.data.dataset import Dataset, Source
from rnncli.data.doubts.preview import Purpose
from rnncli.data.opening import read_dataset
from rnncli.errors import DataError

WORDS = "the a good bad warm cold film story cast plot was is very not so dull bright long short slow".split()  # noqa: SIM905
TOPICS = ("sport", "politics", "weather")


def prose(seed: int, count: int = 40, least: int = 4) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(rng.choices(WORDS, k=rng.randint(least, 9))) for _ in range(count)]


def table(header: str, rows: list[list[object]], mark: str = ",") -> str:
    lines = [header.replace(",", mark)] if header else []
    return "\n".join([*lines, *(mark.join(map(str, row)) for row in rows)]) + "\n"


def json_lines(records: list[dict[str, object]]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def numbers(seed: int, count: int) -> list[float]:
    rng = random.Random(seed)
    return [round(rng.gauss(0, 1), 3) for _ in range(count)]


TEXTS = prose(0)
LABELS = [TOPICS[at % 3] for at in range(40)]
LABELLED: list[list[object]] = [[text, label] for text, label in zip(TEXTS, LABELS, strict=True)]
DATES = [f"2026-05-{day:02} {hour:02}:00:00" for day in range(1, 6) for hour in range(8)]


def with_column(name: str, values: list[object], mark: str = ",") -> str:
    rows = [[*row, value] for row, value in zip(LABELLED, values, strict=True)]
    return table(f"text,label,{name}", rows, mark)


def series(id: str, time: str, more: str = "", dated: bool = True, mark: str = ",", **at: Callable[[int], str]) -> str:
    """Six series of eight rows; ``more`` is the name of a column of words."""
    rows: list[list[object]] = []
    for one in range(6):
        for step, value in enumerate(numbers(one, 8)):
            row: list[object] = [f"M{one:03}", DATES[step] if dated else step * 5, value, round(value * 2 + 1, 2)]
            rows.append([*row, *(["red", "blue"][step % 2] for _ in more.split()), ("ok", "leak")[one % 2]])
    header = ",".join(part for part in (id, time, "temperature", "pressure", more, "state") if part)
    return table(header, rows, mark)


def wide(label_first: bool, header: bool = True, id: bool = False, mark: str = ",", missing: bool = False) -> str:
    rows: list[list[object]] = []
    for one in range(24):
        values: list[object] = list(numbers(one, 12))
        if missing and one % 2:
            values[9:] = ["NaN"] * 3
        row = [1 + one % 3, *values] if label_first else [*values, ("up", "down")[one % 2]]
        rows.append([f"M{one:03}", *row] if id else row)
    names = [f"t{at}" for at in range(12)]
    names = ["class", *names] if label_first else [*names, "state"]
    return table(",".join(["machine", *names] if id else names) if header else "", rows, mark)


SPANS = [{"text": text, "label": [[0, 1, "PERSON"], [len(text) - 1, len(text), "CITY"]]} for text in TEXTS]
MIXED = [{"tokens": ["so", "it", "is"], "ner_tags": ["O", at % 2, 0]} for at in range(9)]
PHONES_OF = {"a": "AE1", "e": "EH1", "i": "IH1", "o": "AA1"}
PHONES = [[word * 2, " ".join(letter.upper() + "1" for letter in word)] for word in WORDS]
LEXICON = [(c + v + d, f"{c.upper()} {PHONES_OF[v]} {d.upper()}") for c in "bdgk" for v in PHONES_OF for d in "dlmt"]
PAIRS = [[text, " ".join(word[::-1] for word in text.split())] for text in TEXTS]
TWO = [["label", "a"], ["labels", "b"]]

# What it is → file, content, how it is read, and what the refusal says.
REFUSED: dict[str, tuple[str, str, dict[str, object], list[str]]] = {
    # a list or an object as a label
    "spans, for a classifier": (
        *("a.jsonl", json_lines(SPANS), {"task": "classify"}),
        ["a.jsonl:1: 'label' holds lists ([[0,1,\"PERSON\"]", "To tag the words of the spans: rnncli train"],
    ),
    "spans without an end": (
        *("a.jsonl", json_lines([{"text": text, "entities": [{"start": 0, "label": "X"}]} for text in TEXTS])),
        *({}, ["'entities' holds lists ([{\"start\""]),
    ),
    "several labels": (
        *("a.jsonl", json_lines([{"plot": text, "labels": ["a", "b"][: 1 + at % 2]} for at, text in enumerate(TEXTS)])),
        *(
            {"task": "classify"},
            [
                "a.jsonl:1: 'labels' holds lists ([\"a\"]), but a classifier learns one label per text",
                "rnncli train a.jsonl --task multilabel --text plot --label labels",
                "keep the first of each",
            ],
        ),
    ),
    "labels as places": (
        *("a.jsonl", json_lines([{"plot": text, "labels": [at % 2, 1, 0]} for at, text in enumerate(TEXTS)])),
        *({}, ["a.jsonl:1: 'labels' holds lists ([0,1,0]) of 0 and 1", "To use their places as names"]),
    ),
    "several labels as Python writes them": (
        *("a.csv", table("text,tags", [[text, f"\"['a', 'b{at % 2}']\""] for at, text in enumerate(TEXTS)])),
        *({"task": "classify"}, ["a.csv:2: 'tags' holds lists (['a', 'b0'])"]),
    ),
    "objects in cells": (
        *("a.tsv", table("text,label", [[text, '{"a": 1}'] for text in TEXTS], "\t")),
        *({}, ["a.tsv:2: 'label' holds objects ({\"a\": 1})"]),
    ),
    "lists from row 300 on": (
        "a.jsonl",
        json_lines(
            [{"text": text, "label": "ab"[at % 2] if at < 300 else ["a"]} for at, text in enumerate(TEXTS * 10)]
        ),
        *({}, ["a.jsonl:301: 'label' holds lists ([\"a\"])"]),
    ),
    "tags of two types": (
        *("a.jsonl", json_lines(MIXED)),
        *({}, ["a.jsonl:1: 'ner_tags' holds tags that are not texts ([\"O\",0,0])", '[str(t) for t in r["ner_tags"]]']),
    ),
    "several columns of tags": (
        "a.jsonl",
        json_lines([{"tokens": ["so", "it"], "pos_tags": [0, at % 2], "ner_tags": ["O", "B-X"]} for at in range(9)]),
        {},
        [
            "2 columns hold a tag for each word ('pos_tags' and 'ner_tags')",
            "rnncli train a.jsonl --label pos_tags; rnncli",
        ],
    ),
    "several columns of spans": (
        "a.jsonl",
        json_lines([record | {"spans": record["label"]} for record in SPANS]),
        {},
        ["2 columns hold spans of a text ('label' and 'spans')", "rnncli train a.jsonl --label label; rnncli"],
    ),
    "numbered words": (
        *("a.conll", "1 so A\n2 it B\n\n1 be C\n2 so A\n\n" * 9, {}),
        ["a.conll:1: the first column numbers the words (1 so A)", "rnncli train a.conll --text 2 --label 3"],
    ),
    "CoNLL-U under another name": (
        *("a.conll", "1\tso\tso\tADV\tRB\t_\t0\troot\t_\t_\n2\tit\tit\tPRON\tPRP\t_\t1\tobj\t_\t_\n\n" * 9),
        *({}, ["the first column numbers the words", "rnncli train a.conll --format conllu"]),
    ),
    "documents in the first column": (
        *("a.conll", "a/b so A\na/b it B\n\na/b be C\na/b so A\n" * 9, {}),
        ["a.conll:1: the first column is the same in each line (a/b so A)", "rnncli train a.conll --text 2 --label 3"],
    ),
    "a last column without tags": (
        *("a.conll", "so A _\nit B _\n\nbe C _\nso A _\n" * 9, {}),
        ["column 3 is the same in each line (_)", "rnncli train a.conll --text 1 --label 2"],
    ),
    "a last column of all sorts": (
        *("a.conll", "".join(f"{word} A w{at}\n" for at, word in enumerate(WORDS * 9)), {}),
        ["column 3 has ", "so it does not look like tags"],
    ),
    "joined labels": (
        *(
            "a.csv",
            table("text,genre", [[text, ("a|b", "a", "b", "b|c", "c")[at % 5]] for at, text in enumerate(TEXTS)]),
        ),
        *(
            {"task": "classify"},
            [
                "a.csv:2: 'genre' may hold several labels in one (a|b), or names of classes",
                "rnncli train a.csv --task multilabel --text text --label genre",
                "rnncli train a.csv --task classify --text text --label genre",
            ],
        ),
    ),
    "joined by bars, no part twice": (
        *("a.csv", table("text,genre", [[text, ("a|b", "c|d", "e|f", "g")[at % 4]] for at, text in enumerate(TEXTS)])),
        *(
            {},
            [
                "a.csv:2: 'genre' may hold several labels in one (a|b), or names of classes",
                "rnncli train a.csv --task multilabel --text text --label genre",
                "rnncli train a.csv --task classify --text text --label genre",
            ],
        ),
    ),
    "joined from row 300 on": (
        *(
            "a.csv",
            table("text,genre", [[text, "ab"[at % 2] if at < 300 else "a|b"] for at, text in enumerate(TEXTS * 10)]),
        ),
        *({}, ["a.csv: 'genre' may hold several labels in one (a|b)", "--task multilabel"]),
    ),
    # numbers as labels
    "decimals": (
        *("a.csv", table("text,score", [[text, value] for text, value in zip(TEXTS, numbers(1, 40), strict=True)])),
        *({}, ["'score' holds decimal numbers (1.288), but a label is the name of a class", "--label score"]),
    ),
    "few decimals": (
        *("a.tsv", table("review,rating", [[text, 1 + at % 5 / 2] for at, text in enumerate(TEXTS)], "\t")),
        *({}, ["a.tsv:3: 'rating' holds decimal numbers (1.5)"]),
    ),
    "decimals in JSON": (
        *("a.jsonl", json_lines([{"text": text, "y": at / 40} for at, text in enumerate(TEXTS)])),
        *({}, ["a.jsonl:2: 'y' holds decimal numbers (0.025)"]),
    ),
    "decimals from row 300 on": (
        *("a.csv", table("text,label", [[text, at % 2 if at < 300 else 0.5] for at, text in enumerate(TEXTS * 10)])),
        *({}, ["a.csv:302: 'label' holds decimal numbers (0.5)"]),
    ),
    "amounts": (
        *("a.csv", table("text,age", [[text, 18 + at * at % 71] for at, text in enumerate(TEXTS * 5)])),
        *({}, ["'age' holds 36 different numbers in 200 records, which look like amounts"]),
    ),
    # numbers as words
    "whole numbers": (
        *("a.csv", table("beats,label", [[f"{at} {at + 3} {at * 5}", at % 2] for at in range(30)])),
        *({}, ["'beats' holds rows of numbers (0 3 0)"]),
    ),
    # a table of series
    # a wide table of numbers
    "UCR's text": ("a.txt", wide(True, False, mark=" "), {}, ["a.txt:1: each line is a row of numbers"]),
    "only numbers": ("a.csv", table("a,b,target", [[1, 2.5, 0.5], [2, 3.5, 1.5]] * 9), {}, ["no column holds texts"]),
    "a date and a number": (
        *("a.csv", table("month,passengers", [[f"1949-{at % 12 + 1:02}", 100 + at * 7] for at in range(36)])),
        *({}, ["a.csv:14: 'month' has 1949-01 here and at a.csv:2", "--task forecast --ignore month"]),
    ),
    "a date and several numbers": (
        *("a.csv", table("Quarter,Consumption,Income", [[f"{1970 + at} Q1", at / 8, at / 4] for at in range(36)])),
        *({}, ["2 columns of numbers ('Consumption' and 'Income'), in order of 'Quarter'", "--label Consumption"]),
    ),
    "dates as texts": (
        *("a.csv", table("when,state", [[date, ("on", "off")[at % 2]] for at, date in enumerate(DATES)])),
        *({}, ["no column holds texts: 'when' (2026-05-01 00:00:00) holds dates"]),
    ),
    # tables in text files
    "tabs": (
        "a.txt",
        table("", PAIRS, "\t"),
        {},
        ["a.txt:1: each line has 1 tab, so this looks like a table", "--format text"],
    ),
    "tabs, three": (
        "a.txt",
        table("", [[*row, "CC-BY 2.0 of someone"] for row in PAIRS], "\t"),
        {},
        ["each line has 2 tabs"],
    ),
    "tabs with names": ("a.txt", table("text,label", LABELLED, "\t"), {}, ["rnncli train a.txt --format tsv"]),
    "commas with names": ("a.txt", table("text,label", LABELLED), {}, ["separated by commas", "--format csv"]),
    "commas without": (
        "a.txt",
        table("", LABELLED),
        {},
        ["separated by commas", "rnncli train a.txt --format csv --delimiter comma"],
    ),
    "semicolons": ("a.txt", table("text,label", LABELLED, ";"), {}, ["separated by semicolons", "--format csv"]),
    "JSON lines": ("a.txt", json_lines(SPANS), {}, ["a.txt:1: each line is a JSON object", "--format jsonl"]),
    "fastText": (
        "a.txt",
        "".join(f"__label__{b} {a}\n" for a, b in LABELLED),
        {},
        ["each line has a label as fastText writes it", "rnncli train a.txt --format fasttext"],
    ),
    "CoNLL": (
        *("a.txt", "".join(f"{w} {'OB'[at % 2]}\n" + "\n" * (at % 5 == 4) for at, w in enumerate(WORDS * 2))),
        *({}, ["looks like tagged words", "--format conll"]),
    ),
    # rows of several parts
    "a fold": ("a.tsv", with_column("fold", [1, 2, 3, 4, 5] * 8, "\t"), {}, ["'fold' divides the rows"]),
    "another name": (
        "a.csv",
        with_column("used_for", ["Training", "Validation"] * 20),
        {},
        ["'used_for' divides the rows"],
    ),
    "a flag": ("a.csv", with_column("is_test", [0, 1] * 20), {}, ["'is_test' divides the rows"]),
    "a split of JSON": (
        *(
            "a.jsonl",
            json_lines([{"text": a, "label": b, "subset": "tv"[at % 2]} for at, (a, b) in enumerate(LABELLED)]),
        ),
        *({}, ["'subset' divides the rows into parts (t, v)"]),
    ),
    # two texts
    "a title and a body": (
        "a.csv",
        with_column("title", [t[:14] for t in prose(1)]),
        {},
        ["two columns hold texts, 'text'"],
    ),
    "two sentences": (
        *(
            "a.tsv",
            table(
                "premise,hypothesis,label",
                [[a, b, c] for a, b, c in zip(TEXTS, prose(2, 40, 6), LABELS, strict=True)],
                "\t",
            ),
        ),
        *({}, ["text"]),
    ),
    "an answer": (
        "a.csv",
        with_column("answer", list(prose(3))),
        {},
        ["'answer' (", "rnncli train a.csv --text text --label label"],
    ),
    # other marks, other shapes
    "a JSON array": (
        "a.jsonl",
        json.dumps(MIXED, indent=1),
        {},
        ["a.jsonl:2: 'ner_tags' holds tags that are not texts ([", "json.load(sys.stdin)"],
    ),
    "a nested JSON": (
        *("a.json", json.dumps({"data": MIXED}, indent=1), {}),
        ["a.json:3: 'ner_tags' holds tags that are not texts ([", 'json.load(sys.stdin)["data"]'],
    ),
    "words as a list": (
        *("a.jsonl", json_lines([{"tokens": text.split(), "label": b} for text, b in zip(TEXTS, LABELS, strict=True)])),
        *({}, ["'tokens' holds lists ([", "join the words"]),
    ),
    # what is not a label when its column is named either
    **{
        f"{kind}, label named": (
            "a.csv",
            table("text,value", [[text, f'"{values[at % len(values)]}"'] for at, text in enumerate(TEXTS)]),
            {"label": "value"},
            [f"'value' holds {says}", "--task classify --text text --label value"],
        )
        for kind, values, says in (
            ("decimals", ("0.25", "0.5", "0.75"), "decimal numbers (0.25)"),
            ("decimals below zero", ("-1.5", "0", "1.5"), "decimal numbers (-1.5)"),
            ("decimals with a sign", ("+0.5", "-0.5"), "decimal numbers (+0.5)"),
            ("exponents", ("1e-3", "2e-3"), "decimal numbers (1e-3)"),
            ("decimal commas", ("0,75", "1,25", "2"), "decimal numbers (0,75)"),
            ("thousands", ("1,250", "12,000"), "decimal numbers (1,250)"),
            ("percentages", ("12%", "12.5 %"), "amounts (12%)"),
            ("dollars", ("$3.50", "$4"), "amounts ($3.50)"),
            ("euros", ("€3", "4,50 €"), "amounts (€3)"),
            ("weights", ("1.5 kg", "2,75kg"), "amounts (1.5 kg)"),
            ("half stars", ("1.0", "1.5", "2.0"), "decimal numbers (1.5)"),
            ("dates", ("2026-05-01", "2026-06-01"), "dates (2026-05-01)"),
            ("months", ("2026 Q1", "2026 Q2"), "dates (2026 Q1)"),
            ("rows of numbers", ("1 0 1", "0 0 1"), "rows of numbers (1 0 1)"),
        )
    },
    "prices, label named": (
        *("a.csv", table("text,price", [[text, 1250 + at * 275] for at, text in enumerate(TEXTS)])),
        *({"label": "price"}, ["'price' holds 40 different numbers in 40 records"]),
    ),
    "series with a price": (
        *("a.csv", table("id,time,x,price", [[at // 4, at % 4, at % 7, 10 + at // 4 * 1.75] for at in range(80)])),
        *({"label": "price"}, ["'price' holds decimal numbers (11.75)", "--task classify --label price"]),
    ),
    "series of JSON with a price": (
        *("a.jsonl", json_lines([{"sequence": [[at, 1]], "label": at % 9 * 1.5} for at in range(40)])),
        *({}, ["'label' holds decimal numbers (1.5)"]),
    ),
    "rows of numbers in brackets as labels": (
        *("a.csv", table("text,label", [[text, f"[{at % 2} 0 1]"] for at, text in enumerate(TEXTS)])),
        *({}, ["a.csv:2: 'label' holds lists ([0 0 1])"]),
    ),
    "several labels in a csv": (
        *("a.csv", table("text,label", [[text, '"[""a"", ""b""]"'] for text in TEXTS])),
        *({"task": "classify"}, ['a.csv:2: \'label\' holds lists (["a", "b"])', "keep the first of each"]),
    ),
    "measurements beside the name of a class": (
        *("a.csv", table("length,width,height,species", [[*numbers(at, 3), "ab"[at % 2]] for at in range(40)])),
        *(
            {"label": "species"},
            [
                "3 columns of numbers (length to height) may be the timesteps of a series, or measure different things",
                *("--features length:height --label species", "--task caption --label species"),
            ],
        ),
    ),
    "series below a name of texts, with numbers as labels": (
        *(
            "a.csv",
            table(
                "subject,time,ax,ay,activity",
                [[f"S{one}", step, *numbers(one * 8 + step, 2), 1 + one % 3] for one in range(9) for step in range(8)],
            ),
        ),
        *(
            {},
            ["one row per timestep (ax, ay of each subject, in order of time)", "rnncli train a.csv --label activity"],
        ),
    ),
    "columns of 0 and 1": (
        *(
            "a.csv",
            table("text,war,love,fun", [[text, at % 2, at // 2 % 2, at // 3 % 2] for at, text in enumerate(TEXTS)]),
        ),
        *(
            {},
            [
                "3 columns beside the text hold 0 and 1 ('war', 'love', 'fun')",
                "learn all of them: rnncli train a.csv --text text --label war,love,fun",
                *("--label war;", "caption"),
            ],
        ),
    ),
    "a list among the texts": (
        *(
            "a.jsonl",
            json_lines(
                [
                    {"text": text if at < 300 else text.split(), "label": "ab"[at % 2]}
                    for at, text in enumerate(TEXTS * 10)
                ]
            ),
        ),
        *({}, ["a.jsonl:301: 'text' holds lists ([", "join the words"]),
    ),
    "a cell of numbers, named": (
        *("a.csv", table("x,label", [[" ".join(map(str, numbers(at, 9))), at % 2] for at in range(30)])),
        *({"text": "x", "label": "label"}, ["'x' holds rows of numbers (", "--task classify --text x --label label"]),
    ),
    "pixels, named": (
        *("a.csv", table("kind,pixels", [[at % 3, " ".join(map(str, range(at, at + 48)))] for at in range(30)])),
        *({"text": "pixels", "label": "kind"}, ["'pixels' holds rows of numbers (0 1 2"]),
    ),
    # words and tags, in other arrangements
    "a word a row": (
        *("a.csv", table("word,tag", [[word, ("O", "B-PER", "I-PER")[at % 3]] for at, word in enumerate(WORDS)])),
        *(
            {},
            ["each row holds a word and its tag (the, O)", "--format conll", "--task classify --text word --label tag"],
        ),
    ),
    "a word a row, numbered sentences": (
        *("a.tsv", table("sentence_id,word,tag", [[at // 4, w, "NV"[at % 2]] for at, w in enumerate(WORDS)], "\t")),
        *({}, ["each row holds a word and its tag (the, N)", "put the words of a sentence together"]),
    ),
    "tags in a cell": (
        *("a.csv", table("tokens,tags", [["Ada saw Rome", "B-PER O B-LOC"], ["so it is now", "O O O O"]] * 9)),
        *({}, ["a.csv:2: 'tags' holds a tag for each word (B-PER O B-LOC)"]),
    ),
    "tags first": (
        *("a.conll", "B-PER Ada\nO saw\nB-LOC Rome\n\nO so\nO it\nO is\n\n" * 6),
        *({}, ["a.conll:1: the tag comes first in each line (B-PER Ada)", "rnncli reads a word and then its tag"]),
    ),
    "tags behind slashes": (
        *("a.conll", "Ada/NNP saw/VBD\nRome/NNP today/RB\n" * 9),
        *({}, ["a.conll:1: each word has its tag after a slash (Ada/NNP)"]),
    ),
    "tags behind slashes in a text": (
        *("a.txt", "Ada/NNP saw/VBD Rome/NNP\nit/PRP rained/VBD\n" * 9),
        *({}, ["a.txt:1: each word has its tag after a slash (Ada/NNP)"]),
    ),
    "a lexicon with spaces": (
        *("a.txt", "".join(f"{word.upper()}  {phones}\n" for word, phones in LEXICON)),
        *({}, ["a.txt:1: each line is a word followed by symbols (BAD B AE1 D)", "--format text"]),
    ),
    "a lexicon with one space": (
        *("a.txt", "".join(f"{word * 2} {phones}\n" for word, phones in LEXICON)),
        *({}, ["so this looks like a lexicon"]),
    ),
    # more of parts, headers and formats
    "folds": ("a.csv", with_column("kfold", [at % 10 for at in range(40)]), {}, ["'kfold' divides the rows"]),
    "one line": (
        "a.csv",
        "so good a film,praise\n",
        {},
        ["the only line was read as the header", "rnncli train a.csv --no-header"],
    ),
    "JSON lines in a table": (
        *("a.csv", json_lines([{"text": text, "label": "ab"[at % 2]} for at, text in enumerate(TEXTS)])),
        *({}, ["a.csv:1: a JSON object, and this is to be a table", "--format jsonl"]),
    ),
    "commas or not": (
        *("a.tsv", "so good, and warm\nso bad, and cold\n" * 9, {}),
        *(
            [
                "a.tsv:1: cannot tell what separates the columns",
                "--delimiter comma; or rnncli train a.tsv --delimiter tab",
            ],
        ),
    ),
    "two delimiters": (
        *("a.csv", "so good;bad|pos\nso bad;cold|neg\n" * 9, {}),
        *(["semicolons or vertical bars", "--delimiter semicolon; or ", "--delimiter pipe"],),
    ),
    "a header or not": (
        *("a.csv", "walk,walked\nrun,ran\nsee,saw\n", {}),
        *(["a.csv:1: cannot tell whether the first line ('walk', 'walked') is a header", "--header", "--no-header"],),
    ),
    "thousands or decimals": (
        *(
            "a.csv",
            table("id;a;b;state", [[at // 4, f"{at + 1},250", "1,000", "xy"[at // 4 % 2]] for at in range(24)], ";"),
        ),
        *(
            {},
            ["a.csv:2: 'a' and 1 other column may hold numbers with decimals or with thousands (1,250)", "--decimal ,"],
        ),
    ),
    "either way": (
        "a.tsv",
        table("en,fr", [[a, b * 3] for a, b in PAIRS], "\t"),
        {"task": "seq2seq"},
        ["--text en --label fr"],
    ),
}


def read(folder: Path, name: str, content: str, **how: object) -> Dataset:
    path = folder / name
    data = content.encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    task = str(how.pop("task", "auto"))
    source = Source(str(path), **how)  # type: ignore[arg-type]
    plain = name.removesuffix(".gz").endswith(".txt") and source.format in (None, "text")
    return read_dataset(source, not plain and task != "lm", task=task, purpose=Purpose(task_named=task != "auto"))


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_likely_something_else_is_refused(tmp_path, case):
    name, content, how, says = REFUSED[case]
    with pytest.raises(DataError) as caught:
        read(tmp_path, name, content, **how)
    said = f"{caught.value.message}\n{caught.value.hint}".replace(f"{tmp_path}/", "")
    for fragment in says:
        assert fragment in said
    assert "\n" not in caught.value.message
    with pytest.raises(DataError) as caught:
        read(tmp_path, f"{name}.gz", content, **how)
    said = f"{caught.value.message}\n{caught.value.hint}".replace(f"{tmp_path}/", "")
    assert says[0].replace(name, f"{name}.gz") in said


def sequences(header: str, *, label: bool = True) -> str:
    rows = [
        [one, step, value, value + 1, *(["ab"[one % 2]] if label else [])]
        for one in range(8)
        for step, value in enumerate(numbers(one, 6))
    ]
    return table(header, rows)


# What it is → file, content, how it is read, and what is read: the columns of text and label, and how many records.
READ: dict[str, tuple[str, str, dict[str, object], tuple[str | None, str | None, int]]] = {
    "text and label": ("a.csv", table("text,label", LABELLED), {}, ("text", "label", 40)),
    # no header
    "no header": ("a.csv", table("", LABELLED), {}, ("1", "2", 40)),
    "no header, label first": ("a.tsv", table("", [[b, a] for a, b in LABELLED], "\t"), {}, ("2", "1", 40)),
    "no header, numbered": (
        "a.csv",
        table("", [[7 + at, *row] for at, row in enumerate(LABELLED)]),
        {},
        ("2", "3", 40),
    ),
    "no header, stars": ("a.csv", table("", [[row[0], at % 5] for at, row in enumerate(LABELLED)]), {}, ("1", "2", 40)),
    "no header, named": ("a.csv", table("", LABELLED), {"text": "1", "label": "2"}, ("1", "2", 40)),
    "a lexicon": ("a.tsv", table("", PHONES, "\t"), {"task": "seq2seq"}, ("1", "2", 20)),
    "headerless pairs": ("a.tsv", table("", PAIRS, "\t"), {}, ("1", "2", 40)),
    "headerless pairs and where they are from": (
        *("a.tsv", table("", [[*row, f"CC-BY 2.0 of someone #{at}"] for at, row in enumerate(PAIRS)], "\t")),
        *({}, ("1", "2", 40)),
    ),
    "headerless names": (
        *(
            "a.csv",
            table(
                "", [[f"{word}{end}", "German" if at % 2 else "Thai"] for end in "xyz" for at, word in enumerate(WORDS)]
            ),
        ),
        *({}, ("1", "2", 3 * len(WORDS))),
    ),
    "two rows": ("a.csv", "my parcel is late,shipping\nreset my password,login\n", {}, ("1", "2", 2)),
    "no header, codes": ("a.tsv", "ab\tb-a\ncd\td-c\nef\tf-e\n", {}, ("1", "2", 3)),
    "no header, a label that is a name": (
        *("a.csv", table("", [["so good and warm", "city"], ["so bad and cold", "country"]] * 9)),
        *({}, ("1", "2", 18)),
    ),
    # other delimiters
    "bars": ("a.csv", table("text,label", LABELLED, "|"), {}, ("text", "label", 40)),
    "semicolons in a csv": ("a.csv", table("text,label", LABELLED, ";"), {}, ("text", "label", 40)),
    "semicolons, commas in a name": ("a.csv", "id;text, all;label\n1;so good;a\n", {}, ("text, all", "label", 1)),
    "commas in a tsv": ("a.tsv", table("text,label", LABELLED), {}, ("text", "label", 40)),
    "tabs in a csv": ("a.csv", table("text,label", LABELLED, "\t"), {}, ("text", "label", 40)),
    "names that nobody knows": ("a.csv", table("Kommentar,Stimmung", LABELLED), {}, ("Kommentar", "Stimmung", 40)),
    "names of several words": (
        "a.csv",
        table("Kommentar des Kunden,Seine Stimmung", LABELLED),
        {},
        ("Kommentar des Kunden", "Seine Stimmung", 40),
    ),
    "few rows": ("a.csv", "text,label\ngood film,pos\nbad film,neg\n", {}, ("text", "label", 2)),
    "few rows, unknown names": (
        "a.tsv",
        "Satz\tGefühl\nso gut\tfroh\nso schlecht\ttraurig\n",
        {},
        ("Satz", "Gefühl", 2),
    ),
    "names": (
        "a.csv",
        table("name,language", [["Voll", "German"], ["Piovene", "Italian"], ["Weiss", "German"]] * 9),
        {},
        ("name", "language", 27),
    ),
    "stars": (
        "a.csv",
        table("review,stars", [[text, 1 + at % 5] for at, text in enumerate(TEXTS)]),
        {},
        ("review", "stars", 40),
    ),
    "whole decimals": (
        "a.csv",
        table("text,label", [[text, f"{at % 2}.0"] for at, text in enumerate(TEXTS)]),
        {},
        ("text", "label", 40),
    ),
    "many classes by number": (
        "a.csv",
        table("text,label", [[f"{text} {at}", at % 77] for at, text in enumerate(TEXTS * 40)]),
        {},
        ("text", "label", 1600),
    ),
    "ids with a point": (
        *("a.csv", table("text,label", [[text, ("0.0", "1.0")[at % 2]] for at, text in enumerate(TEXTS)])),
        *({"label": "label"}, ("text", "label", 40)),
    ),
    "stars that are named": (
        *("a.csv", table("text,stars", [[text, 1 + at % 5] for at, text in enumerate(TEXTS)])),
        *({"label": "stars"}, ("text", "stars", 40)),
    ),
    "versions": (
        *("a.csv", table("text,label", [[text, ("v1.2", "1.2.3")[at % 2]] for at, text in enumerate(TEXTS)])),
        *({}, ("text", "label", 40)),
    ),
    "places as labels": (
        *(
            "a.csv",
            table(
                "text,label",
                [[t, ('"Bonn, Germany"', '"Graz, Austria"', '"Ulm, Germany"')[at % 3]] for at, t in enumerate(TEXTS)],
            ),
        ),
        *({}, ("text", "label", 40)),
    ),
    "labels of two words for texts of two": (
        *("a.csv", table("text,label", [[f"so {w}", ("VERY GOOD", "NOT BAD")[at % 2]] for at, w in enumerate(WORDS)])),
        *({}, ("text", "label", len(WORDS))),
    ),
    "names in other writings": (
        *("a.csv", table("文本,Оценка", [[text, 1 + at % 5] for at, text in enumerate(TEXTS)])),
        *({}, ("文本", "Оценка", 40)),
    ),
    "amounts among words": (
        *("a.csv", table("text,label", [[text, ("100%", "no", "maybe")[at % 3]] for at, text in enumerate(TEXTS)])),
        *({}, ("text", "label", 40)),
    ),
    "combinations that are named": (
        *("a.csv", table("text,label", [[text, ("a|b", "a", "b")[at % 3]] for at, text in enumerate(TEXTS)])),
        *({"label": "label", "task": "classify"}, ("text", "label", 40)),
    ),
    "words with tags that are named": (
        *("a.csv", table("word,tag", [[w, ("O", "B-X")[at % 2]] for at, w in enumerate(WORDS)])),
        *({"label": "tag", "text": "word", "task": "classify"}, ("word", "tag", len(WORDS))),
    ),
    "names of roles that are values": (
        *("a.csv", table("word,class", [[w, "nv"[at % 2]] for at, w in enumerate(["class", "word", *WORDS] * 3)])),
        *({}, ("word", "class", 3 * len(WORDS) + 6)),
    ),
    "a name that is a value once": (
        *("a.csv", table("Wort,Art", [[w, "nv"[at % 2]] for at, w in enumerate(["Wort", *WORDS * 3])])),
        *({}, ("Wort", "Art", 3 * len(WORDS) + 1)),
    ),
    "columns without names": (
        *("a.csv", table(",text,,label", [[at, row[0], at % 7, row[1]] for at, row in enumerate(LABELLED)])),
        *({}, ("text", "label", 40)),
    ),
    "years down": (
        *("a.csv", table("text,label,2021,2020,2019", [[*row, at, at % 3, 2] for at, row in enumerate(LABELLED)])),
        *({}, ("text", "label", 40)),
    ),
    "a year": (
        *("a.csv", table("text,label,2020", [[*row, at] for at, row in enumerate(LABELLED)])),
        *({}, ("text", "label", 40)),
    ),
    "texts in brackets": (
        *("a.csv", table("text,label", [[("[1]", "[sic] so it is")[at % 2], "ab"[at % 2]] for at in range(30)])),
        *({}, ("text", "label", 30)),
    ),
    "columns of 0 and 1 to tell of": (
        *("a.csv", table("red,big,text", [[at % 2, at // 2 % 2, WORDS[at % 4]] for at in range(30)])),
        *({"task": "caption"}, (None, "text", 30)),
    ),
    "usage of something": (
        *("a.csv", with_column("usage", ["high", "low"] * 20)),
        *({}, ("text", "label", 40)),
    ),
    "documents": ("a.bio", "-DOCSTART- O\n\nso A\nit B\n\nbe A\n\n" * 9, {}, ("tokens", "tags", 18)),
    "decimals that are named": (
        "a.csv",
        table("text,score", [[text, 1 + at % 5 / 2] for at, text in enumerate(TEXTS)]),
        {"label": "score", "task": "classify"},
        ("text", "score", 40),
    ),
    "an id and a date": (
        *(
            "a.csv",
            table("id,date,text,label,channel", [[at, DATES[at], *row, "web"] for at, row in enumerate(LABELLED)]),
        ),
        *({}, ("text", "label", 40)),
    ),
    "a confidence": ("a.csv", with_column("confidence", list(numbers(3, 40))), {}, ("text", "label", 40)),
    "several numbers": (
        *(
            "a.csv",
            table(
                "text,label,likes,shares,length", [[*row, at * 3, at % 7, at / 7] for at, row in enumerate(LABELLED)]
            ),
        ),
        *({}, ("text", "label", 40)),
    ),
    "0 and 1 beside counts": (
        *("a.csv", table("sentence,label,length", [[text, at % 2, len(text)] for at, text in enumerate(TEXTS)])),
        *({}, ("sentence", "label", 40)),
    ),
    "one part of a split": ("a.csv", with_column("split", ["train"] * 40), {}, ("text", "label", 40)),
    "a split that is ignored": (
        "a.csv",
        with_column("split", ["train", "test"] * 20),
        {"ignore": "split"},
        ("text", "label", 40),
    ),
    "a split that is the label": (
        "a.csv",
        table("text,set", [[text, "ab"[at % 2]] for at, text in enumerate(TEXTS)]),
        {},
        ("text", "set", 40),
    ),
    "names of people beside": (
        "a.csv",
        with_column("author", [f"Ann {at} Holm" for at in range(40)]),
        {},
        ("text", "label", 40),
    ),
    "places beside": (
        "a.csv",
        with_column("location", ["New York City", "San Jose", "Rome", ""] * 10),
        {},
        ("text", "label", 40),
    ),
    "a second text that was not meant": (
        "a.csv",
        with_column("answer", list(prose(3))),
        {"text": "text"},
        ("text", "label", 40),
    ),
    "tabs": ("a.tsv", table("text,label", LABELLED, "\t"), {}, ("text", "label", 40)),
    "JSON": ("a.jsonl", json_lines([{"text": a, "label": b} for a, b in LABELLED]), {}, ("text", "label", 40)),
    "JSON with lists beside": (
        "a.jsonl",
        json_lines([{"text": a, "label": b, "notes": [], "words": [1, 2]} for a, b in LABELLED]),
        {},
        ("text", "label", 40),
    ),
    "true and false": (
        "a.jsonl",
        json_lines([{"text": a, "label": at % 2 == 0} for at, (a, _) in enumerate(LABELLED)]),
        {},
        ("text", "label", 40),
    ),
    "labels in brackets": (
        "a.csv",
        table("text,label", [[text, ("[ok]", "[not ok]")[at % 2]] for at, text in enumerate(TEXTS)]),
        {},
        ("text", "label", 40),
    ),
    "labels with marks in them": (
        "a.csv",
        table("text,label", [[text, ("AC/DC", "rock|pop", '"Rome, Italy"')[at % 3]] for at, text in enumerate(TEXTS)]),
        {},
        ("text", "label", 40),
    ),
    "DNA": (
        "a.csv",
        table("text,label", [["acgt" * 9 + "acgt"[at % 4], "np"[at % 2]] for at in range(30)]),
        {},
        ("text", "label", 30),
    ),
    "numbers as texts by name": (
        "a.csv",
        table("text,label", [[at * 37, "eo"[at % 2]] for at in range(30)]),
        {},
        ("text", "label", 30),
    ),
    "rows of numbers, named": (
        "a.csv",
        table("x,label", [["1.5 2.5 3.5", at % 2] for at in range(30)]),
        {"text": "x", "task": "classify"},
        ("x", "label", 30),
    ),
    "words of a dictionary": (
        "a.csv",
        table("word,frequency,class", [[w, at * 9 % 31, "nv"[at % 2]] for at, w in enumerate(WORDS)]),
        {},
        ("word", "class", len(WORDS)),
    ),
    "a row of numbers": (
        "a.jsonl",
        json_lines([{"sequence": numbers(at, 5), "label": "ab"[at % 2]} for at in range(20)]),
        {},
        ("sequence", "label", 20),
    ),
    "timesteps": (
        "a.jsonl",
        json_lines([{"sequence": [[x, 1] for x in numbers(at, 5)], "label": at % 2} for at in range(20)]),
        {},
        ("sequence", "label", 20),
    ),
    "a list of numbers in a cell": (
        "a.csv",
        table("sequence,label", [[f'"{numbers(at, 4)}"', at % 2] for at in range(20)]),
        {},
        ("sequence", "label", 20),
    ),
    "words and tags": (
        "a.jsonl",
        json_lines([{"tokens": ["so", "it"], "tags": ["A", "B"]}] * 9),
        {},
        ("tokens", "tags", 9),
    ),
    "tags as numbers": (
        *("a.jsonl", json_lines([{"id": at, "tokens": ["so", "it"], "ner_tags": [0, at % 2]} for at in range(9)]), {}),
        ("tokens", "ner_tags", 9),
    ),
    "tags as numbers, named": (
        *("a.jsonl", json_lines([{"words": ["so", "it", "is"], "head": [0, at % 2, 0]} for at in range(9)])),
        *({"text": "words", "label": "head", "task": "tag"}, ("words", "head", 9)),
    ),
    "spans": ("a.jsonl", json_lines(SPANS), {}, ("text", "label", 40)),
    "spans, label named": ("a.jsonl", json_lines(SPANS), {"label": "label", "text": "text"}, ("text", "label", 40)),
    "spans in cells": (
        *("a.csv", table("text,label", [[text, f"\"[({at % 2}, 4, 'WHO')]\""] for at, text in enumerate(TEXTS)])),
        *({}, ("text", "label", 40)),
    ),
    "CoNLL": ("a.conll", "so A\nit B\n\nbe C\nso A\n" * 9, {}, ("tokens", "tags", 10)),
    "CoNLL, the tag first": (
        *("a.conll", "B-PER Ada\nO saw\nB-LOC Rome\n\nO so\nO it\nO is\n\n" * 6, {"text": "2", "label": "1"}),
        ("tags", "tokens", 12),
    ),
    "a word a row": (
        "a.csv",
        table(
            "Sentence #,Word,POS,Tag",
            [
                ["" if k % 4 else f"Sentence: {k // 4}", w, "NN", ("O", "B-geo")[k % 2]]
                for k, w in enumerate(WORDS[:20])
            ],
        ),
        {},
        ("Word", "Tag", 5),
    ),
    "a word a row, numbered sentences": (
        *("a.tsv", table("sentence_id,word,tag", [[at // 4, w, "NV"[at % 2]] for at, w in enumerate(WORDS)], "\t")),
        *({"task": "tag"}, ("word", "tag", -(-len(WORDS) // 4))),
    ),
    "CoNLL by number": ("a.conll", "so A _\nit B _\n\nbe C _\nso A _\n" * 9, {"label": "2"}, ("tokens", "2", 10)),
    "pairs": ("a.csv", table("source,target", PAIRS), {}, ("source", "target", 40)),
    "pairs of numbers": (
        "a.csv",
        table("source,target", [[f"{at} + {at + 2}", 2 * at + 2] for at in range(40)]),
        {},
        ("source", "target", 40),
    ),
    "pairs of dates": (
        "a.csv",
        table("source,target", [[f"{at % 28 + 1}.5.2026", f"2026-05-{at % 28 + 1:02}"] for at in range(40)]),
        {},
        ("source", "target", 40),
    ),
    "a lexicon with names": (
        "a.tsv",
        table("word,phones", PHONES, "\t"),
        {"task": "seq2seq"},
        ("word", "phones", len(PHONES)),
    ),
    "symbols in order": (
        "a.csv",
        table("source,target", [[f"{at} 2 3", f"3 2 {at}"] for at in range(40)]),
        {},
        ("source", "target", 40),
    ),
    "series": ("a.csv", sequences("id,time,ax,ay,label"), {}, (None, "label", 8)),
    "series without times": (
        "a.csv",
        series("id", "when").replace("when", "time"),
        {"ignore": "time"},
        (None, "state", 6),
    ),
    "numbers and a text": (
        "a.csv",
        table("r,g,b,text", [[*numbers(at, 3), f"{WORDS[at % 9]} red"] for at in range(30)]),
        {},
        (None, "text", 30),
    ),
    "places and a text": (
        "a.csv",
        table("x,y,text", [[at, at % 3, WORDS[at % 9]] for at in range(30)]),
        {},
        (None, "text", 30),
    ),
    "a cell of numbers": (
        *("a.csv", table("x,label", [[" ".join(map(str, numbers(at, 9))), at % 2] for at in range(30)])),
        *({}, ("x", "label", 30)),
    ),
    "a cell of numbers with bars": (
        *("a.tsv", table("signal,class", [["|".join(map(str, numbers(at, 9))), at % 2] for at in range(30)], "\t")),
        *({}, ("signal", "class", 30)),
    ),
    "a cell as NumPy writes it": (
        *("a.csv", table("text,label", [[f"[{' '.join(map(str, numbers(at, 9)))}]", at % 2] for at in range(30)])),
        *({}, ("text", "label", 30)),
    ),
    "a string of numbers": (
        *(
            "a.jsonl",
            json_lines([{"text": " ".join(map(str, numbers(at, 9))), "label": "ab"[at % 2]} for at in range(30)]),
        ),
        *({}, ("text", "label", 30)),
    ),
    "whole numbers in a cell, named": (
        *("a.csv", table("beats,label", [[f"{at} {at + 3} {at * 5}", at % 2] for at in range(30)])),
        *({"features": "beats"}, ("beats", "label", 30)),
    ),
    "dates as time": ("a.csv", series("id", "time"), {}, (None, "state", 6)),
    "another id": ("a.csv", series("machine_id", "timestamp", dated=False), {}, (None, "state", 6)),
    "another id and dates": ("a.tsv", series("sensor", "date", mark="\t"), {}, (None, "state", 6)),
    "a column of words": ("a.csv", series("id", "t", "colour", False), {}, (None, "state", 6)),
    "words and dates": ("a.csv", series("id", "when", "mode"), {}, (None, "state", 6)),
    "wide with ids": ("a.csv", wide(False, id=True), {}, (None, "state", 24)),
    "wide with a label": ("a.tsv", wide(True, mark="\t"), {}, (None, "class", 24)),
    "wide, label named": ("a.csv", wide(True), {"label": "class"}, (None, "class", 24)),
    "a text": ("a.txt", "\n".join(TEXTS), {}, ("text", None, 40)),
    "a text with some tabs": ("a.txt", "\n".join([*TEXTS, "a\tb"]), {}, ("text", None, 41)),
    "a text with a comma in each line": (
        "a.txt",
        "".join(f"{a}, {b}\n" for a, b in zip(TEXTS, prose(5), strict=True)),
        {},
        ("text", None, 40),
    ),
    "tabs, as a text": ("a.txt", table("", PAIRS, "\t"), {"format": "text"}, ("text", None, 40)),
    "short lines": ("a.txt", "so it\nwas good\n\nand the\ndog ran\n" * 5, {}, ("text", None, 25)),
    "texts of a table": ("a.csv", table("recipe", [[text] for text in TEXTS]), {"task": "lm"}, ("recipe", None, 40)),
}


@pytest.mark.parametrize("case", READ)
def test_what_is_what_it_looks_like_is_read(tmp_path, case):
    name, content, how, (text, label, count) = READ[case]
    dataset = read(tmp_path, name, content, **how)
    assert (dataset.source.text, dataset.source.label, len(dataset.texts)) == (text, label, count)


COMMAND = re.compile(r"(?:python3 -c|sed|awk|\(printf|cut|iconv|zcat) .*? > [^ ;.]+\.\w+")


@pytest.mark.parametrize(
    ("case", "count"),
    [
        *[
            ("several labels", 40),
            ("tags of two types", 9),
            ("labels as places", 40),
        ],
        *[("UCR's text", 24), ("another name", 20)],
        *[
            ("a split of JSON", 20),
            ("words as a list", 40),
            ("several labels in a csv", 40),
        ],
        *[("several labels as Python writes them", 40), ("a list among the texts", 400)],
        *[
            ("a word a row, numbered sentences", 5),
            ("tags in a cell", 18),
        ],
        *[("tags behind slashes", 18), ("tags behind slashes in a text", 18)],
        ("folds", 4),
    ],
)
def test_the_command_in_the_refusal_makes_a_file_that_is_read(tmp_path, monkeypatch, case, count):
    name, content, how, _ = REFUSED[case]
    monkeypatch.chdir(tmp_path)
    for packed in (name, f"{name}.gz"):
        with pytest.raises(DataError) as caught:
            read(Path(), packed, content, **how)
        command = COMMAND.search(caught.value.hint or "")
        assert command is not None, caught.value.hint
        subprocess.run(["bash", "-c", command[0]], check=True, timeout=60)
        made = command[0].rpartition(" > ")[2]
        assert len(read_dataset(Source(made), task="auto").texts) == count
