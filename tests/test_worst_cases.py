"""Time and memory stay in proportion to what is read, whatever it holds."""

import ast
import importlib
import json
import re
import time
import unicodedata
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from io import BytesIO
from pathlib import Path

import pytest
import rich.cells

from rnncli.clean import clean
from rnncli.config import MAX_YAML_BYTES, settings_from_yaml
from rnncli.data.dataset import Source
from rnncli.data.formats.numbers import finite_number, is_number, is_whole_number
from rnncli.data.formats.values import is_json
from rnncli.data.opening import read_dataset
from rnncli.data.readers import open_table
from rnncli.data.tables.facts import is_date, nested, numbers_in
from rnncli.data.text.tokenizer import Tokenizer, composed
from rnncli.errors import DataError, UsageError, closest

SOURCE = Path(importlib.import_module("rnncli").__file__ or "").parent
COUNT = 1_000_000
# Linear time needs less than a tenth of it for a million characters; the square needs more for a hundred thousand.
LIMIT = 10.0

# A million characters each of what repeats, with an end that fits nothing.
WORST = {
    "digits": "1" * COUNT + "x",
    "digits and points": "1." * (COUNT // 2) + "x",
    "exponents": "1e1" * (COUNT // 3) + "x",
    "spaces": " " * COUNT + "x",
    "spaces between": "a" + " " * COUNT + "a",
    "signs": "+-" * (COUNT // 2),
    "brackets": "[" * COUNT,
    "braces": '{"a":' * (COUNT // 5),
    "closed": "[]" * (COUNT // 2),
    "quotes": '"' * COUNT + "x",
    "doubled quotes": '""' * (COUNT // 2) + '"x',
    "apostrophes": "'" * COUNT,
    "words with apostrophes": "a'" * (COUNT // 2),
    "backslashes": "\\" * COUNT + "u000",
    "marks": "a" + "\u0301\u0316" * (COUNT // 2),
    "marks alone": "\u0344" * COUNT,
    "marks of two": "\u0f73" * COUNT,
    "capitals": "A" * COUNT,
    "capitals in turn": "Aa" * (COUNT // 2),
    "sigmas": "\u03a3'" * (COUNT // 2),
    "jamo": "\u1100\u1161\u11a8" * (COUNT // 3),
    "emoji": "\U0001f469\u200d" * (COUNT // 2),
    "keycaps": "1\ufe0f" * (COUNT // 2),
    "tags": "<br" * (COUNT // 3),
    "spaced tags": "<br         " * (COUNT // 12),
    "slashes": "a/" * (COUNT // 2),
    "commas": "," * COUNT,
    "dashes": "a-" * (COUNT // 2),
    "at signs": "a@1" * (COUNT // 3),
    "underscores": "_" * COUNT,
    "dots": ".1-" * (COUNT // 3),
    "dates": "2026-05-01 12:00" * (COUNT // 16) + "x",
    "colons": "1:11" * (COUNT // 4),
    "greater": "<text " * (COUNT // 6),
    "derivatives": "∂a/∂b" * (COUNT // 5) + "(",
}


def patterns() -> dict[str, re.Pattern]:
    """Each pattern that the source compiles at import, by where it stands."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        name = ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts)
        if name.endswith("__main__"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Assign) and "re.compile(" in ast.unparse(node):
                module = importlib.import_module(name)
                for target in node.targets:
                    value = getattr(module, ast.unparse(target), None)
                    for k, pattern in enumerate(_compiled(value)):
                        found[f"{name}.{ast.unparse(target)}.{k}"] = pattern
    return found


def _compiled(value: object) -> list:
    if isinstance(value, re.Pattern):
        return [value]
    if isinstance(value, dict):
        return [one for part in value.values() for one in _compiled(part)]
    return [one for part in value for one in _compiled(part)] if isinstance(value, tuple | list) else []


PATTERNS = patterns()


def in_time(what: object, act: Callable[[], object]) -> float:
    """The seconds of the processor's that it took; fewer than ``LIMIT``."""
    began = time.process_time()
    act()
    took = time.process_time() - began
    assert took < LIMIT, what
    return took


def in_proportion(what: object, act: Callable[[str], object], most: int = COUNT, texts: Iterable[str] = WORST) -> None:
    """Tries short texts first, and of those that take longest a longer one, up to a million characters.

    Where time grows with the square of the length, a text that takes a millisecond with 10,000 characters has taken
    it a hundred times with 100,000, and is among the few that are tried with more.
    """
    for length, kept in ((10_000, 6), (100_000, 2), (COUNT, 0)):
        took = {
            name: in_time((what, name, length), partial(act, cut(WORST[name], min(length, most)))) for name in texts
        }
        texts = sorted(took, key=lambda name: -took[name])[:kept]
        if length >= most:
            break


def cut(text: str, length: int) -> str:
    """A text of so many characters; its end, which fits nothing, stays."""
    return text if len(text) <= length else text[: length - 4] + text[-4:]


def test_patterns_are_found() -> None:
    assert len(PATTERNS) > 15
    names = {name.rsplit(".", 1)[0] for name in PATTERNS}
    assert {
        "rnncli.data.formats.numbers._NUMBER",
        "rnncli.data.text.tokenizer.WORD",
        "rnncli.tasks.language_model.model._WORDS",
    } <= names


# Patterns that are only ever given the beginning of a text: how much of it.
BOUNDED = {
    "rnncli.data.tables.facts._PYTHON_LIST.0": 100_000,
    "rnncli.data.tables.facts._DATE.0": 50,
    "rnncli.data.tables.wide_form._INDEXED.0": 100,
}
METHODS: dict[str, Callable] = {
    "match": lambda pattern, text: pattern.match(text),
    "fullmatch": lambda pattern, text: pattern.fullmatch(text),
    "search": lambda pattern, text: pattern.search(text),
    "split": lambda pattern, text: pattern.split(text),
    "each": lambda pattern, text: deque(pattern.finditer(text), maxlen=0),
}


def methods_of(name: str) -> list[str]:
    """How the source uses a pattern: ``each`` for what finds every place, ``search`` where it does not say."""
    short = name.split(".")[-2]
    used = set()
    for path in SOURCE.rglob("*.py"):
        used |= set(re.findall(rf"\b{short}\.(match|fullmatch|search|split|findall|finditer|sub)\b", path.read_text()))
    return sorted({method if method in METHODS else "each" for method in used}) or ["search"]


@pytest.mark.parametrize("name", PATTERNS)
def test_each_pattern_takes_time_in_proportion(name: str) -> None:
    pattern = PATTERNS[name]

    for method in methods_of(name):

        def act(text: str, act: Callable = METHODS[method]) -> None:
            act(pattern, text if isinstance(pattern.pattern, str) else text.encode())

        in_proportion((name, method), act, BOUNDED.get(name, COUNT))


def table_of(format: str, line: Callable[[str], str]) -> Callable[[str], object]:
    """Reads a table with the text in it, as far as it is one, and looks at what its values are."""

    def act(text: str) -> None:
        source = BytesIO(line(text).encode())
        with suppress(DataError):
            for row in open_table("-", format=format, stdin=source).rows:
                [(is_json(value), nested(value), is_date(value), numbers_in(value)) for value in row.texts]

    return act


READERS: dict[str, Callable[[str], object]] = {
    "csv": table_of("csv", lambda text: f"text,label\n{text},a\n"),
    "tsv": table_of("tsv", lambda text: f"text\tlabel\n{text}\ta\n"),
    "conll": table_of("conll", lambda text: f"{text} O\n"),
    "text": table_of("text", lambda text: text),
    "json lines, broken": table_of("jsonl", lambda text: f'{{"text": {text}, "label": "a"}}\n'),
    "json lines, whole": table_of("jsonl", lambda text: json.dumps({"text": text, "label": "a"}) + "\n"),
    "clean": clean,
    "clean, cut": lambda text: clean(text, 80),
    "width of a line": lambda text: rich.cells.cell_len(clean(text)),
    **{act.__name__: act for act in (is_number, is_whole_number, finite_number)},
    **{unit: Tokenizer(unit).tokens for unit in ("word", "char", "symbol")},
    "closest": lambda text: closest(text, [text[1:] + "y", text[:-1]] * 3),
}


@pytest.mark.parametrize("reader", READERS)
def test_each_reader_of_text_takes_time_in_proportion(reader: str) -> None:
    in_proportion(reader, READERS[reader])


ROWS = 12  # of a data set
# The name of a file, its first line and any other one, and the task: the text is in a cell, or in the place of one.
DATA_SETS: dict[str, tuple[str, str, Callable[[str, int], str], str]] = {
    "texts": ("a.csv", "text,label", lambda text, k: f"{text} {k},{'ab'[k % 2]}", "auto"),
    "labels": ("a.csv", "text,label", lambda text, k: f"so {k},{text if k % 2 else 'b'}", "classify"),
    "several labels": ("a.csv", "text,labels", lambda text, k: f"so {k},a|{text if k % 2 else 'b'}", "multilabel"),
    "lists of labels": ("a.csv", "text,labels", lambda text, k: f"so {k},\"['a', {text}]\"", "multilabel"),
    "sets of labels": (
        "a.jsonl",
        "",
        lambda text, k: json.dumps({"text": f"so {k}", "labels": [text, "b"][k % 2 :]}),
        "multilabel",
    ),
    "amounts": ("a.csv", "text,price", lambda text, k: f"so {k},{text if k == 9 else k}", "regress"),
    "texts of amounts": ("a.csv", "text,price", lambda text, k: f"{text},{k}.5", "regress"),
    "times": ("a.csv", "time,x,price", lambda text, k: f"{text if k == 9 else k},{k},{k % 5}.5", "regress"),
    "dates": ("a.csv", "month,sold", lambda text, k: f"{text if k == 9 else f'2020-{k + 1:02}'},{k}.5", "forecast"),
    "values of a series": (
        "a.csv",
        "month,sold",
        lambda text, k: f"2020-{k + 1:02},{text if k == 9 else k}",
        "forecast",
    ),
    "series in cells": (
        "a.jsonl",
        "",
        lambda text, k: json.dumps({"sequence": text if k else "[1, 2, 3]"}),
        "forecast",
    ),
    "series and labels": ("a.csv", "series,label", lambda text, k: f'"{text}",{"ab"[k % 2]}', "auto"),
    "words and tags": ("a.csv", "words,tags", lambda text, k: f"{text},{text}", "tag"),
    "pairs": ("a.tsv", "source\ttarget", lambda text, k: f"{text} {k}\t{k} {text}", "seq2seq"),
    "spans": (
        "a.jsonl",
        "",
        lambda text, k: json.dumps({"text": text, "label": [[0, 3, "A"], [len(text) - 2, len(text), "B"]]}),
        "tag",
    ),
    "fastText": ("a.txt", "__label__a so", lambda text, k: f"__label__{'ab'[k % 2]} {text}", "auto"),
    "time series": ("a.ts", "@classLabel true a b\n@data", lambda text, k: f"{text}:{'ab'[k % 2]}", "auto"),
    "ARFF": (
        "a.arff",
        "@relation r\n@attribute x numeric\n@attribute y {a,b}\n@data",
        lambda text, k: f"{text},{'ab'[k % 2]}",
        "auto",
    ),
    "FASTA": ("a.fasta", ">first a", lambda text, k: f"{text}\n>{k} {'ab'[k % 2]}", "auto"),
    "attributes of ARFF": ("a.arff", "@relation r", lambda text, k: f"@attribute {text} {text}", "auto"),
    "names of columns": ("a.csv", "", lambda text, k: f"{text},label" if k == 0 else f"so {k},{'ab'[k % 2]}", "auto"),
    "lines": ("a.txt", "", lambda text, k: f"{text} {k}", "auto"),
    "lines of numbers": ("a.txt", "", lambda text, k: f"{k} {text}", "auto"),
    "one JSON document": ("a.json", "[", lambda text, k: json.dumps({"text": text, "label": k % 2}) + ",", "auto"),
}


@pytest.mark.parametrize("name", DATA_SETS)
def test_each_data_set_takes_time_in_proportion(tmp_path: Path, name: str) -> None:
    """With all that guesses what the columns are, and doubts it."""
    file, first, line, task = DATA_SETS[name]
    path = tmp_path / file

    def act(text: str) -> None:
        cell = text[: max(4, len(text) // ROWS)]
        path.write_text("\n".join([*filter(None, [first]), *(line(cell, k) for k in range(ROWS)), ""]))
        with suppress(DataError, UsageError):
            read_dataset(Source(str(path)), task=task)

    in_proportion(name, act, COUNT // 5)


def test_settings_take_time_in_proportion() -> None:
    def act(text: str) -> None:
        with suppress(UsageError):
            settings_from_yaml(text.encode()[:MAX_YAML_BYTES], "settings.yaml")

    in_proportion("settings", act, MAX_YAML_BYTES)


def test_time_out_of_proportion_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a clock that counts steps: of one text the square of its length, of the others the length."""
    steps = [0.0]
    monkeypatch.setattr(time, "process_time", lambda: steps[0])

    def linear(text: str) -> None:
        steps[0] += len(text) * 5e-10

    def square(text: str) -> None:
        steps[0] += len(text) * (len(text) if text.startswith("<br ") else 1) * 5e-10

    in_proportion("linear", linear)
    with pytest.raises(AssertionError, match=r"spaced tags.*1000000"):
        in_proportion("square", square)


def test_marks_are_composed_as_unicode_says() -> None:
    for text in ("e\u0301", "a" + "\u0316\u0301" * 15, "\u1100\u1161\u11a8", "क" + "\u093c\u094d", "x" * 5000 + "é"):
        assert composed(text) == unicodedata.normalize("NFC", text)
    # A longer run than any writing system has is put in order 30 marks at a time.
    marks = "\u0301\u0316" * 40
    made = composed("a" + marks)
    expected = "á" + "\u0316" * 15 + "\u0301" * 14
    assert made.startswith(expected[:10])
    assert sorted(unicodedata.normalize("NFD", made)) == sorted("a" + marks)


def test_no_mark_stands_where_none_is_looked_for() -> None:
    between = (range(0x80, 0x300), range(0x20000, 0xE0000), range(0xE1000, 0x110000))
    assert not [p for part in between for p in part if unicodedata.category(chr(p)).startswith("M")]
