"""Files as people have them: what each is read as, or the commands of its refusal, which work as they stand."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Iterable, Sequence

import pytest

GOODS = ("great", "fast", "awful", "slow")
TEXTS = [f"the {('chair', 'lamp', 'kettle')[k % 3]} is {GOODS[k % 4]} and came on day {k}" for k in range(60)]
LABELS = [("good", "bad")[k % 4 // 2] for k in range(60)]
OTHERS = [f"title of number {k}" for k in range(60)]
WORDS = [f"{a}{b}{c}" for a in "bdfg" for b in "aeiou" for c in "kmn"]


def table(head: Sequence[str], *columns: Iterable[object], mark: str = ",") -> str:
    return "".join(mark.join(map(str, row)) + "\n" for row in [*([head] if head else []), *zip(*columns, strict=True)])


def lines(**columns: Sequence[object]) -> str:
    rows = zip(*columns.values(), strict=True)
    return "".join(json.dumps(dict(zip(columns, row, strict=True))) + "\n" for row in rows)


TOKENS, TAGS = [text.split()[:4] for text in TEXTS], [[0, 1, 0, k % 3] for k in range(60)]
QUOTED = [f'"{one}"' for one in TOKENS]
NUMPY = [f'"{one}"'.replace("', '", "' '") for one in TOKENS]
SPACED = [f"[{' '.join(map(str, one))}]" for one in TAGS]

# file → its content, task, input, label
READ = {
    "lists of Python": ("a.csv", table(["tokens", "ner_tags"], QUOTED, [f'"{one}"' for one in TAGS]), "tag"),
    "lists of NumPy": ("a.csv", table(["tokens", "ner_tags"], NUMPY, SPACED), "tag"),
    "numbered classes": ("a.csv", table(["Class Index", "Text"], (k % 4 for k in range(60)), TEXTS), "classify"),
    "numbered categories": (
        "a.csv",
        table(["text", "category_id"], TEXTS, (700 + k % 4 for k in range(60))),
        "classify",
    ),
    "sorted by label": ("a.csv", table(["text", "label"], TEXTS * 4, ["a"] * 210 + ["b"] * 30), "classify"),
    "a minus for a label": ("a.csv", table(["sequence", "class"], TEXTS, "+-" * 30), "classify"),
}


@pytest.mark.parametrize("kind", READ)
def test_a_file_is_read_as_what_it_is_without_a_warning(cli, kind):
    name, content, task = READ[kind]
    cli.write(name, content)
    found = cli.works("train", name, "--dry-run", "--json").json
    assert (found["task"], found["warnings"]) == (task, [])
    roles = {one["role"]: one["name"].lower() for one in found["columns"]}
    assert roles["input"] in ("text", "tokens", "sequence")
    assert roles["label"] in ("label", "class", "ner_tags", "class index", "category_id")


# file → its content, what is said, the tasks of the commands that are offered
REFUSED = {
    "two columns of classes": (
        table(["sku", "text", "category_1", "category_2"], range(60), TEXTS, "ab" * 30, "xyz" * 20),
        *("cannot tell which column is the label", ["classify", "classify"]),
    ),
    "no header and two texts": (
        table((), (k % 4 for k in range(60)), (one.title() for one in TEXTS), TEXTS[::-1]),
        *("cannot tell which column is the text", ["classify", "classify", "classify"]),
    ),
    "a title beside a description": (
        table(["Class Index", "Title", "Description"], (k % 4 for k in range(60)), OTHERS, TEXTS),
        *("two columns hold texts", ["classify", "classify", "classify"]),
    ),
    "a number of its own in each row": (
        table(["text", "year"], TEXTS, (1900 + k * 7 % 60 for k in range(60))),
        *("cannot tell which column is the label", ["regress", "lm"]),
    ),
    "texts without labels": (table(["id", "quote"], range(60), TEXTS), "cannot tell which column is the label", ["lm"]),
    "two columns of words": (
        table(["form", "lemma"], (f"{word}s" for word in WORDS), WORDS),
        *("cannot tell which column is the text", ["seq2seq", "seq2seq"]),
    ),
    "answers": (
        table(["question", "answer"], TEXTS, (f"because of {other}" for other in OTHERS)),
        *("too many for the names of classes", ["seq2seq"]),
    ),
    "many answers": (
        table(["question", "answer"], TEXTS * 4, (f"because of {k} things" for k in range(240))),
        *("too many for the names of classes", ["seq2seq"]),
    ),
    "dates": (
        table(["text", "label"], TEXTS * 4, (f"20{k // 28:02}-05-{k % 28 + 1:02}" for k in range(240))),
        *("holds dates", ["classify"]),
    ),
    "years": (
        table(["text", "year"], TEXTS, (1900 + k * 7 % 52 for k in range(60))),
        "52 different numbers in 60 records",
        ["regress"],
    ),
    "lists of words with several labels": (
        table(["tokens", "labels"], QUOTED, ["\"['a', 'b']\"", "\"['a']\""] * 30),
        *("'tokens' holds lists", []),
    ),
    "two sentences and a label": (
        table(["sentence1", "sentence2", "gold_label"], TEXTS, TEXTS[::-1], LABELS),
        *("cannot tell which column is the text", ["classify", "classify", "classify"]),
    ),
    "a title that may be missing": (
        table(["title", "review", "rating"], ["", *OTHERS[1:]], TEXTS, (k % 5 for k in range(60))),
        *("two columns hold texts", ["classify", "classify", "classify"]),
    ),
    "texts in two languages": (
        table(["English words/sentences", "French words/sentences"], TEXTS, (f"le {text}" for text in TEXTS)),
        *("two columns hold texts, 'English words/sentences' and", ["seq2seq", "seq2seq"]),
    ),
    "likes of tweets": (
        table(["tweet", "likes", "retweets"], TEXTS, (k * 7 % 60 for k in range(60)), (k % 9 for k in range(60))),
        *("it is not clear which are to be predicted", ["regress", "caption"]),
    ),
    "prices of flats": (
        table(["text", "price", "area"], TEXTS, (k * 70 for k in range(60)), (k * 7 % 60 for k in range(60))),
        *("it is not clear which are to be predicted", ["regress", "caption"]),
    ),
    "labels with slashes": (
        table(["text", "label"], TEXTS, ["a", "b", "a/b", "c/b", "c", "a/c"] * 10),
        *("seems to hold several labels in one (a/b)", ["multilabel", "classify"]),
    ),
    "hash tags as labels": (
        table(["text", "label"], TEXTS, ["#a", "#b", "#a #b", "#c #b", "#c", "#a #c"] * 10),
        *("seems to hold several labels in one (#a #b)", ["multilabel", "classify"]),
    ),
    "one column of numbers": (
        table(["value"], (k / 2 for k in range(60))),
        "the only column is 'value'",
        ["forecast"],
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_doubtful_file_is_refused_with_commands_that_work(cli, kind):
    content, says, tasks = REFUSED[kind]
    cli.write("a.csv", content)
    said = cli.refuses(3, says, "train", "a.csv", "--dry-run").err
    commands = re.findall(r"rnncli train .*?(?=; |\. |\n|$)", said)
    found = [
        cli.works(*shlex.split(one)[1:], "--dry-run", "--json").json["task"] for one in commands if "COLUMN" not in one
    ]
    assert found == tasks


VALUES = [f"1:0.{k % 9 + 1} 4:0.5" for k in range(60)]
CLOCK = [f"10:{k:02}" for k in range(60)]

# lines in a file called a text → what is said, the task of what the command makes of it, its first input
MACHINE_LINES = {
    "libsvm": ([f"{k % 2} {one}" for k, one in enumerate(VALUES)], "as libsvm writes them", "classify", "[0.1,0.5]"),
    "svmlight": (
        [f"{'+-'[k % 2]}1 qid:{k} {one} # {k}" for k, one in enumerate(VALUES)],
        *("as libsvm writes them", "classify", "[0.1,0.5]"),
    ),
    "libsvm of several labels": (
        [f"{k % 2},{k % 3 + 2} {one}" for k, one in enumerate(VALUES)],
        *("as libsvm writes them", "multilabel", "[0.1,0.5]"),
    ),
    "Vowpal Wabbit": (
        [f"{k % 2} |a b:0.{k % 9} c:2" for k in range(60)],
        *("as Vowpal Wabbit writes them", "classify", "[0.0,2.0]"),
    ),
    "JSON lines": (
        [json.dumps({"text": text, "label": label}) for text, label in zip(TEXTS, LABELS, strict=True)],
        *("each line is a JSON object", "classify", TEXTS[0]),
    ),
    "an array of JSON": (
        json.dumps([{"text": t, "label": one} for t, one in zip(TEXTS, LABELS, strict=True)], indent=1).splitlines(),
        *("this is JSON", "classify", TEXTS[0]),
    ),
    "lists of JSON": (
        [json.dumps(row) for row in zip(TEXTS, LABELS, strict=True)],
        *("each line is a list as JSON writes it", "classify", TEXTS[0]),
    ),
    "objects of Python": (
        [str({"text": text, "label": label}) for text, label in zip(TEXTS, LABELS, strict=True)],
        *("as Python writes it", "classify", TEXTS[0]),
    ),
    "XML": (
        ["<r>", *(f'<e label="{one}"><text>{t}</text></e>' for t, one in zip(TEXTS, LABELS, strict=True)), "</r>"],
        *("this is XML", "classify", TEXTS[0]),
    ),
    "HTML": (["<!DOCTYPE html>", "<html>", *(f"<p>{text}</p>" for text in TEXTS)], "this is HTML", "lm", " "),
    "names and values": (
        [f'label={label} text="{text}"' for text, label in zip(TEXTS, LABELS, strict=True)],
        *("names and values", "classify", TEXTS[0]),
    ),
    "a log": ([f"2024-05-01 {at},5 {t}" for at, t in zip(CLOCK, TEXTS, strict=True)], "a time", "lm", TEXTS[0]),
    "a chat": ([f"[{at}] Ada: {t}" for at, t in zip(CLOCK, TEXTS, strict=True)], "a time", "lm", f"Ada: {TEXTS[0]}"),
    "subtitles": (
        [part for k, text in enumerate(TEXTS) for part in (f"{k}", "00:00:01,5 --> 00:00:02,5", text, "")],
        *("these are subtitles", "lm", TEXTS[0]),
    ),
    "YAML": (
        [
            part
            for text, label in zip(TEXTS, LABELS, strict=True)
            for part in (f"- text: {text}", f"  label: '{label}'")
        ],
        *("YAML", "classify", TEXTS[0]),
    ),
    "Markdown": (
        ["| text | label |", "|---|:--|", *(f"| {t} | {one} |" for t, one in zip(TEXTS, LABELS, strict=True))],
        *("a table of Markdown", "classify", TEXTS[0]),
    ),
    "marks of three bars": (
        [f"{text} ||| {other}" for text, other in zip(TEXTS, OTHERS, strict=True)],
        *("the same marks", "seq2seq", TEXTS[0]),
    ),
    "several spaces": (
        [f"  {label:9}{text}" for text, label in zip(TEXTS, LABELS, strict=True)],
        *("several spaces", "classify", TEXTS[0]),
    ),
    "FASTA": ([part for k in range(60) for part in (f">p{k} family={'ab'[k % 2]}", "MKV")], "FASTA", "classify", "MKV"),
    "pairs of numbers": ([f"{k} {k * 7 % 31}" for k in range(60)], "a pair of numbers", None, None),
    "word vectors": ([f"{word} 0.1 0.2 -0.3" for word in WORDS], "a word and its vector", None, None),
    "SQL": ([f"INSERT INTO t VALUES ({k}, '{text}');" for k, text in enumerate(TEXTS)], "SQL", None, None),
}


@pytest.mark.parametrize("kind", MACHINE_LINES)
def test_lines_of_machines_are_no_text_and_the_command_makes_of_them_what_they_are(cli, tmp_path, monkeypatch, kind):
    content, says, task, first = MACHINE_LINES[kind]
    monkeypatch.chdir(tmp_path)
    cli.write("a.txt", "".join(f"{line}\n" for line in content))
    said = cli.refuses(3, says, "train", "a.txt", "--dry-run").err
    assert "rnncli train a.txt --format text" in said
    cli.works("train", "a.txt", "--format", "text", "--dry-run")
    if task is None:
        return
    found = re.search(r"((?:python3|rnncli train a.txt --format (?!text)).*?)(?=; to read it as a text)", said)
    assert found is not None
    way = found[1]
    if way.startswith("python3"):
        subprocess.run(way, shell=True, check=True)
        way = f"rnncli train {way.rpartition(' ')[2]}"
    made = cli.works(*shlex.split(way)[1:], "--dry-run", "--json").json
    input = made["records"][0]["input"]
    assert (made["task"], input.partition("numbers: ")[2] or input) == (task, first)


def objects(made):
    """JSON lines of an object for each text and its label."""
    return "".join(json.dumps(made(text, label)) + "\n" for text, label in zip(TEXTS, LABELS, strict=True))


OBJECTS = {
    "a text below a key": (objects(lambda text, label: {"data": {"text": text}, "label": label}), 1, "classify"),
    "a label below a key": (objects(lambda text, label: {"text": text, "meta": {"label": label}}), 1, "classify"),
    "both below one": (objects(lambda text, label: {"_source": {"text": text, "label": label}}), 1, "classify"),
    "two keys deep": (objects(lambda text, label: {"a": {"b": {"text": text}}, "c": {"label": label}}), 1, "classify"),
    "objects in a list": (
        objects(lambda text, label: {"title": "a", "parts": [{"text": text, "label": label}] * 2}),
        *(1, "classify"),
    ),
    "objects in lists in lists": (
        json.dumps({"data": [{"p": [{"q": [{"text": t, "label": "ab"[k % 2]}]}]} for k, t in enumerate(TEXTS)]}),
        *(2, "classify"),
    ),
    "a list below a key": (objects(lambda text, label: {"text": text, "said": {"labels": [label]}}), 1, "multilabel"),
}


@pytest.mark.parametrize("kind", OBJECTS)
def test_objects_in_records_become_columns_or_records_by_the_command(cli, tmp_path, monkeypatch, kind):
    content, steps, task = OBJECTS[kind]
    monkeypatch.chdir(tmp_path)
    name = "a.json" if content.startswith('{"data": [') else "a.jsonl"
    cli.write(name, content)
    for _ in range(steps):
        said = cli.refuses(3, "To write ", "train", name, "--dry-run").err
        way = said.strip().partition(": python3 ")[2].splitlines()[0]
        subprocess.run(f"python3 {way}", shell=True, check=True)
        name = way.rpartition(" ")[2]
    assert cli.works("train", name, "--dry-run", "--json").json["task"] == task


PARTS = ["Training"] * 40 + ["PublicTest"] * 10 + ["PrivateTest"] * 10
PIXELS = [" ".join(str((k * at) % 256) for at in range(48)) for k in range(60)]


@pytest.mark.parametrize("space", ["", " "])
def test_pictures_in_cells_with_parts_as_kaggle_names_them_are_read_by_the_commands(cli, space):
    names = ["emotion", f"{space}Usage", f"{space}pixels"]
    cli.write("a.csv", table(names, (k % 7 for k in range(60)), PARTS, PIXELS))
    said = cli.refuses(3, "holds rows of numbers", "train", "a.csv", "--dry-run").err
    for way in re.findall(r"rnncli train .*?(?=; |\. |\n|$)", said):
        found = cli.works(*shlex.split(way)[1:], "--dry-run", "--json").json
        assert {one["name"].strip(): (one["type"], one["role"]) for one in found["columns"]} == {
            "emotion": ("category", "label"),
            "Usage": ("category", "split"),
            "pixels": ("list", "input"),
        }


def test_a_column_of_usage_that_holds_something_else_is_no_split(cli):
    cli.write("a.csv", table(["text", "usage", "label"], TEXTS, (k % 5 for k in range(60)), LABELS))
    roles = {one["name"]: one["role"] for one in cli.works("train", "a.csv", "--dry-run", "--json").json["columns"]}
    assert roles == {"text": "input", "usage": "ignored", "label": "label"}


@pytest.mark.parametrize(
    ("written", "number"),
    [("12.5M", 12_500_000), ("0.5%", 0.5), ("$1.5M", 1_500_000), ("€3.25", 3.25), ("1.5 m", 1.5)],
)
def test_amounts_become_numbers_by_the_command(cli, tmp_path, monkeypatch, written, number):
    monkeypatch.chdir(tmp_path)
    cli.write("a.csv", table(["text", "worth"], TEXTS, [written] * 30 + [written.replace("5", "7")] * 30))
    said = cli.refuses(3, "holds amounts", "train", "a.csv", "--dry-run").err
    subprocess.run(said.partition("for --task regress: ")[2].partition(". If each")[0], shell=True, check=True)
    found = cli.works("train", "a-2.jsonl", "--task", "regress", "--label", "worth", "--dry-run", "--json").json
    assert float(found["records"][0]["label"]) == number


SURVEY = table(
    ["Timestamp", "Age", "How satisfied are you?", "Gender", "Comments"],
    *([f"2024/01/{k % 28 + 1:02} 10:0{k % 9}" for k in range(60)], (20 + k % 40 for k in range(60)), "123" * 20),
    *("fm" * 30, (text if k % 3 else "" for k, text in enumerate(TEXTS))),
)
NO_HEADER = table((), WORDS, (f"{word}s" for word in WORDS), mark="\t")
FILMS = table(["name", "plot", "budget"], OTHERS, TEXTS, (f"{k / 7 + 1:.1f}M" for k in range(60)))


@pytest.mark.parametrize(("name", "content"), [("a.csv", SURVEY), ("a.tsv", NO_HEADER), ("a.csv", FILMS)])
def test_all_commands_of_a_choice_work(cli, name, content):
    cli.write(name, content)
    said = cli.refuses(3, "cannot tell", "train", name, "--dry-run").err
    ways = re.findall(r"rnncli train .*?(?=; |\. |\n|$)", said)
    assert ways
    for way in ways:
        cli.works(*shlex.split(way)[1:], "--dry-run")


def waves(value, every=7):
    """A series of numbers, some of which are ``value``."""
    return [value if k % every == 3 else f"{20 + k % 6 / 2}" for k in range(60)]


STEPS = [f"2024-{k // 28 + 1:02}-{k % 28 + 1:02}" for k in range(60)]
SENTINELS = {
    "one column": (table(["date", "value"], STEPS, waves("-999")), [], "'value' holds -999 in 9 values"),
    "semicolons": (table(["date", "value"], STEPS, waves("9999", 20), mark=";"), [], "'value' holds 9999 in 3 values"),
    "a large number": (table(["date", "value"], STEPS, waves("1e+20")), [], "'value' holds 1e+20 in 9 values"),
    "two columns": (
        table(["date", "x", "y"], STEPS, waves("-9999"), waves("-9999")),
        *(["--label", "x", "--task", "forecast"], "'x' and 1 other column hold -9999 in 18 values"),
    ),
    "an id of the same name": (
        table(["id", "t", "x", "label"], [99] * 30 + [7] * 30, [*range(30)] * 2, waves("99"), ["a"] * 30 + ["b"] * 30),
        *([], "'x' holds 99 in 9 values"),
    ),
}


@pytest.mark.parametrize("kind", SENTINELS)
def test_a_number_for_missing_values_is_a_warning_with_the_command_that_empties_them(cli, tmp_path, monkeypatch, kind):
    content, options, says = SENTINELS[kind]
    monkeypatch.chdir(tmp_path)
    cli.write("a.csv", content)
    (warning,) = cli.works("train", "a.csv", *options, "--dry-run", "--json").json["warnings"]
    assert says in warning
    way = warning.partition("leave it empty: ")[2].partition("; then ")[0]
    subprocess.run(way, shell=True, check=True)
    found = cli.works("train", "a-2.csv", *options, "--missing", "interpolate", "--dry-run", "--json").json
    assert found["warnings"] == []
    sizes = [len((tmp_path / name).read_text().splitlines()) for name in ("a.csv", "a-2.csv")]
    assert sizes[0] == sizes[1]


@pytest.mark.parametrize(
    "values",
    [
        [0 if k % 7 == 0 else 900 + k for k in range(60)],
        [999 if k == 9 else 20 + k % 5 for k in range(60)],
        [999 if k % 9 == 3 else k * 30 for k in range(60)],
        [1000 * (k % 13 + 1) ** 3 for k in range(60)],
    ],
    ids=["zeros", "once", "among others", "a long tail"],
)
def test_numbers_that_may_be_numbers_are_no_warning(cli, values):
    cli.write("a.csv", table(["date", "value"], STEPS, values))
    assert cli.works("train", "a.csv", "--dry-run", "--json").json["warnings"] == []


@pytest.mark.parametrize("yes", [1, True, 1.0])
def test_an_object_of_zeros_and_ones_is_a_set_of_labels(cli, yes):
    rows = [{"text": text, "labels": {"a": yes, "b": type(yes)(k % 2)}} for k, text in enumerate(TEXTS)]
    cli.write("a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    found = cli.works("train", "a.jsonl", "--dry-run", "--json").json
    assert (found["task"], [one["label"] for one in found["records"]]) == ("multilabel", ["a", "a, b", "a"])


def test_points_of_dataturks_are_spans_whose_end_is_inside(cli):
    rows = [
        {
            "content": text,
            "annotation": [{"label": ["X"], "points": [{"start": 4, "end": 4 + len(text.split()[1]) - 1}]}],
        }
        for text in TEXTS
    ]
    cli.write("a.json", "".join(json.dumps(row | {"extras": None}) + "\n" for row in rows))
    found = cli.works("train", "a.json", "--dry-run", "--json").json
    assert (found["task"], json.loads(found["records"][0]["label"])[:3]) == ("tag", ["O", "B-X", "O"])
    assert "widened" not in found["why"]


@pytest.mark.parametrize(
    "content",
    [
        [f"{who}: {text}" for who, text in zip("AB" * 30, TEXTS, strict=True)],
        [f"{word}," for word in TEXTS],
        ["[Verse 1]", *TEXTS],
        ["def f(x):", "    return {'a': x}", "", "y = f(1)"] * 9,
        [f"Gen {k}:{k + 1} {text}" for k, text in enumerate(TEXTS)],
        [f"{k + 1}. {text}" for k, text in enumerate(TEXTS)],
        ["<doc>", *TEXTS, "</doc>"],
    ],
    ids=["a dialogue", "commas", "a song", "a program", "verses", "numbered lines", "a tag"],
)
def test_what_people_write_is_a_text(cli, content):
    cli.write("a.txt", "".join(f"{line}\n" for line in content))
    assert cli.works("train", "a.txt", "--dry-run", "--json").json["task"] == "lm"


def test_two_parallel_files_are_described(cli):
    cli.write("a.en", "".join(f"{one}\n" for one in TEXTS))
    cli.write("a.de", "".join(f"{one}\n" for one in OTHERS))
    found = cli.works("train", "--source", "a.en", "--target", "a.de", "--dry-run", "--json").json
    assert (found["task"], found["format"], found["records"][0]["label"]) == ("seq2seq", "pairs", OTHERS[0])
    cli.works("train", "--source", "a.en", "--target", "a.de", "--epochs", "1", "--hidden", "4", "--workers", "1")


def test_texts_in_two_languages_in_an_object_become_pairs_by_the_command(cli, tmp_path):
    rows = [{"translation": {"en": text, "de": other}} for text, other in zip(TEXTS, OTHERS, strict=True)]
    cli.write("a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    said = cli.refuses(3, "holds objects", "train", "a.jsonl").err
    script = shlex.split(said.partition("python3 -c ")[2])[0]
    assert '{"source":r["translation"]["en"],"target":r["translation"]["de"]}' in script


@pytest.mark.parametrize(
    ("task", "content", "why"),
    [
        ("multilabel", lines(text=TEXTS, labels=[["a", "b"], ["a"]] * 30), "labels for each input"),
        ("regress", lines(text=TEXTS, label=[k / 2 for k in range(60)]), "--task regress"),
        ("forecast", lines(value=[k / 2 for k in range(60)]), "--task forecast"),
    ],
)
def test_each_task_is_said_in_plain_words(cli, task, content, why):
    cli.write("a.jsonl", content)
    options = ["--task", task] if why.startswith("--task") else []
    label = ["--label", "value"] if task == "forecast" else []
    assert cli.works("train", "a.jsonl", *options, *label, "--dry-run", "--json").json["task_why"].endswith(why)


CONLL = "".join("".join(f"{word}\t{tag}\n" for word, tag in [("Ada", "B-PER"), ("came", "O")]) + "\n" for _ in range(9))


def test_words_with_tags_in_a_table_are_asked_about(cli):
    cli.write("a.tsv", CONLL)
    said = cli.refuses(3, "looks like tagged words", "train", "a.tsv").err
    assert "rnncli train a.tsv --format conll;" in said
    found = cli.works("train", "a.tsv", "--format", "conll", "--dry-run", "--json").json
    assert (found["task"], len(found["records"]), found["warnings"]) == ("tag", 3, [])
    cli.write("b.csv", "text,label\n" + "".join(f"{word},{'AB'[k % 2]}\n\n" for k, word in enumerate(WORDS)))
    cli.works("train", "b.csv", "--text", "text", "--label", "label", "--dry-run")  # as the user says


def test_what_was_rejected_is_not_learned_unasked(cli):
    answers = ["accept", "reject", "ignore"] * 20
    cli.write("a.jsonl", lines(text=TEXTS, label=LABELS, answer=answers))
    said = cli.refuses(3, "not all of them were (ignore and reject)", "train", "a.jsonl").err
    assert 'if r["answer"]=="accept"' in said
    cli.works("train", "a.jsonl", "--ignore", "answer", "--dry-run")
    cli.write("b.jsonl", lines(text=TEXTS, label=LABELS, answer=["accept"] * 60))
    cli.works("train", "b.jsonl", "--dry-run")


def test_columns_of_true_and_false_are_labels_or_one_of_them(cli):
    flags = [[str(k % n == 0) for k in range(60)] for n in (2, 3)]
    cli.write("a.csv", table(["id", "text", "action", "drama"], (f"x{k * 7 % 60}" for k in range(60)), TEXTS, *flags))
    said = cli.refuses(3, "hold False and True ('action', 'drama')", "train", "a.csv").err
    assert "caption" not in said  # which does not read them
    commands = re.findall(r"rnncli train .*?(?=; |\n|$)", said)
    tasks = [cli.works(*shlex.split(one)[1:], "--dry-run", "--json").json["task"] for one in commands]
    assert tasks == ["multilabel", "classify"]


def test_a_label_that_is_the_same_is_a_warning_where_all_rows_were_seen(cli):
    cli.write("a.csv", table(["text", "label"], TEXTS, ["a"] * 60))
    assert cli.works("train", "a.csv", "--dry-run", "--json").json["warnings"] == [
        "the label 'label' is the same in all rows"
    ]


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (CONLL, "--format conll"),
        (table((), LABELS, TEXTS, mark="\t"), "--format tsv"),
        (lines(text=TEXTS, label=LABELS), "--format jsonl"),
        (table(["text", "label"], TEXTS, LABELS, mark=";"), "--format csv --delimiter semicolon"),
        ("".join(f"{one}\n" for one in OTHERS), "--format text"),
    ],
)
def test_a_name_that_does_not_say_the_format_is_asked_about_with_what_its_lines_look_like(cli, content, options):
    cli.write("train", content)
    said = cli.refuses(3, "train: the name does not say the format", "train", "train").err
    assert f"rnncli train train {options}" in said
    cli.works("train", "train", *options.split(), "--dry-run")


def test_a_table_that_pandas_wrote_by_its_columns_becomes_lines_by_the_command(cli):
    split = {"columns": ["text", "label"], "index": [*range(60)], "data": [*zip(TEXTS, LABELS, strict=True)]}
    cli.write("a.json", json.dumps(split))
    said = cli.refuses(3, "an object of lists ('columns', 'index' and 'data')", "train", "a.json").err
    made = subprocess.run(shlex.split(said.partition("of it: ")[2])[:3], input=json.dumps(split), text=True, stdout=-1)
    assert json.loads(made.stdout.splitlines()[0]) == {"text": TEXTS[0], "label": LABELS[0]}


def test_spans_as_python_writes_them_are_no_constant(cli):
    rows = [[f'"{text}"' for text in TEXTS], ["\"[(0, 3, 'DET')]\""] * 60]
    cli.write("a.csv", table(["text", "entities"], *rows))
    found = cli.works("train", "a.csv", "--dry-run", "--json").json
    assert (found["task"], found["columns"][1]["type"], found["warnings"]) == ("tag", "list", [])


GENRES = [[{"id": 2, "name": "drama"}, {"id": 1, "name": "comedy"}], [{"id": 2, "name": "drama"}]] * 30
CATS = [{"cats": {"A": one == "good", "B": one != "good"}} for one in LABELS]
ANSWERS = [f"because of {other}" for other in OTHERS]
CHATS = [
    [("system", "be kind"), ("user", text), ("assistant", label)] for text, label in zip(TEXTS, LABELS, strict=True)
]
MESSAGES = [[{"role": who, "content": said} for who, said in chat] for chat in CHATS]
TURNS = [
    [{"from": ("human", "gpt")[k % 2], "value": said} for k, said in enumerate((text, answer, answer, text))]
    for text, answer in zip(TEXTS, ANSWERS, strict=True)
]

NAMES_OF_OBJECTS = ("To make labels of their 'name'", 0, "multilabel", TEXTS[0], "comedy, drama")
PARTED = {"val": 40, "train": 0}

# file → its content, what is said, of the commands that make another file which one, and its task, first input, label
MADE = {
    "a value that stands for none": (
        *("a.csv", table(["text", "label"], TEXTS, ["NaN", *LABELS[1:]]), "holds NaN, which stands for no value"),
        *(0, "classify", TEXTS[1], LABELS[1]),
    ),
    "labels behind a mark": (
        *("a.txt", "".join(f"{text} .@{one}\n" for text, one in zip(TEXTS, ["neutral", "positive"] * 30, strict=True))),
        *("ends with one of a few labels", 0, "classify", f"{TEXTS[0]} .", "neutral"),
    ),
    "labels with another prefix": (
        *("a.txt", "".join(f"__class__{one} {text}\n" for text, one in zip(TEXTS, LABELS, strict=True))),
        *("begins with one of a few labels", 0, "classify", TEXTS[0], f"__class__{LABELS[0]}"),
    ),
    "tags behind underscores": (
        *("a.txt", "".join(f"Mia_NNP saw_VBD {word}_NN\n" for word in WORDS), "after an underscore"),
        *(0, "tag", f'["Mia","saw","{WORDS[0]}"]', '["NNP","VBD","NN"]'),
    ),
    "values of JSON over several lines": (
        *("a.json", objects(lambda text, label: {"text": text, "label": label}).replace(", ", ",\n")),
        *("a second JSON value", 0, "classify", TEXTS[0], LABELS[0]),
    ),
    "pairs of an array": (
        *("a.json", json.dumps(list(map(list, zip(TEXTS, CATS, strict=True)))), "'annotations' holds objects"),
        *(0, None, "", ""),
    ),
    "pairs a line": (
        *("a.jsonl", "".join(json.dumps(pair) + "\n" for pair in zip(TEXTS, LABELS, strict=True)), "an array, but"),
        *(0, "classify", TEXTS[0], LABELS[0]),
    ),
    "texts below their label": (
        *("a.json", json.dumps({"good": TEXTS[:31], "bad": TEXTS[31:]}), "an object of lists"),
        *(0, "classify", TEXTS[0], "good"),
    ),
    "as many texts below each label": (
        *("a.json", json.dumps({"good": TEXTS[:30], "bad": TEXTS[30:]}), "if 'good' is a label"),
        *(1, "classify", TEXTS[0], "good"),
    ),
    "pairs below the names of parts": (
        *("a.json", json.dumps({part: list(zip(TEXTS[at:], LABELS[at:], strict=True)) for part, at in PARTED.items()})),
        *("an object of lists", 0, "classify", TEXTS[0], LABELS[0]),
    ),
    "objects with names as labels": ("a.jsonl", lines(text=TEXTS, genres=GENRES), *NAMES_OF_OBJECTS),
    "objects with names in a table": (
        *("a.csv", table(["id", "plot", "genres"], range(60), TEXTS, (f'"{one}"' for one in GENRES))),
        *NAMES_OF_OBJECTS,
    ),
    "texts in a list": (
        *("a.jsonl", lines(tag=LABELS, patterns=[["hello", text] for text in TEXTS]), "'patterns' holds lists"),
        *(0, "classify", "hello", LABELS[0]),
    ),
    "a chat whose answers are labels": (
        *("a.jsonl", lines(messages=MESSAGES), "the only column is 'messages'"),
        *(0, "classify", TEXTS[0], LABELS[0]),
    ),
    "lines above the header": (
        *("a.csv", "Feedback 2024,\n,\n" + table(["text", "label"], TEXTS, LABELS)),
        *("a.csv:3: these seem to be the names of the columns", 0, "classify", TEXTS[0], LABELS[0]),
    ),
    "a comment above the header": (
        *("a.csv", "# made in May\n\n" + table(["id", "text", "label"], range(60), TEXTS, LABELS)),
        *("a.csv:3: these seem to be the names of the columns", 0, "classify", TEXTS[0], LABELS[0]),
    ),
    "commas without quotes": (
        *("a.csv", table(["id", "text", "label"], range(60), (f"{text}, and so on" for text in TEXTS), LABELS)),
        *("If these are commas in 'text'", 0, "classify", f"{TEXTS[0]}, and so on", LABELS[0]),
    ),
    "commas without quotes in the last column": (
        *("a.csv", table(["label", "text"], LABELS, (f"{text}, and so on" for text in TEXTS))),
        *("If these are commas in 'text'", 0, "classify", f"{TEXTS[0]}, and so on", LABELS[0]),
    ),
    "quotes with backslashes": (
        *("a.csv", table(["text", "label"], (f'"he said \\"{text}\\""' for text in TEXTS), LABELS)),
        *("have a backslash before them", 0, "classify", f'he said "{TEXTS[0]}"', LABELS[0]),
    ),
    "lines of Python": (
        *(
            "a.jsonl",
            "".join(f"{ {'text': text, 'label': label} }\n" for text, label in zip(TEXTS, LABELS, strict=True)),
        ),
        *("objects as Python shows them", 0, "classify", TEXTS[0], LABELS[0]),
    ),
    "a list of Python": (
        *("a.json", str([{"text": text, "label": label} for text, label in zip(TEXTS, LABELS, strict=True)])),
        *("a list as Python shows it", 0, "classify", TEXTS[0], LABELS[0]),
    ),
    "labels in brackets": (
        *("a.csv", table(["text", "label"], TEXTS, ["[b][a]", "[a]"] * 30), "holds what stands in brackets"),
        *(0, "multilabel", TEXTS[0], "a, b"),
    ),
    "labels of a database": (
        *("a.csv", table(["text", "label"], TEXTS, ['"{b,a}"', "{a}"] * 30), "holds what stands in brackets"),
        *(0, "multilabel", TEXTS[0], "a, b"),
    ),
    "a chat": ("a.jsonl", lines(id=range(60), conversations=TURNS), "'conversations' holds lists", 0, None, "", ""),
}


@pytest.mark.parametrize("kind", MADE)
def test_the_command_makes_of_a_file_what_it_is(cli, tmp_path, monkeypatch, kind):
    name, content, says, which, task, input, label = MADE[kind]
    monkeypatch.chdir(tmp_path)
    cli.write(name, content)
    said = cli.refuses(3, says, "train", name, "--dry-run").err
    way = re.findall(r"(?:python3 -c|tail|sed) .*? > [^ ;]+\.[a-z]+", said)[which]
    subprocess.run(way, shell=True, check=True)
    made = way.rpartition(" ")[2]
    if task is None:  # it is asked about again, with commands that work
        said = cli.refuses(3, made, "train", made, "--dry-run").err
        way = re.findall(r"rnncli train .*?(?=; |\n|$)", said)[0]
        cli.works(*shlex.split(way)[1:], "--dry-run")
        return
    found = cli.works("train", made, "--dry-run", "--json").json
    assert (found["task"], found["records"][0]) == (task, {"input": input, "label": label})


def test_a_header_among_the_rows_is_no_record(cli):
    both = table(["text", "label"], TEXTS, LABELS)
    cli.write("a.csv", both * 2)
    cli.refuses(3, "a.csv:62: the header once more", "train", "a.csv", "--dry-run")
    assert cli.works("train", "a.csv", "--skip-bad", "--dry-run", "--json").json["rows"][0]["rows"] == 108


def test_a_folder_of_folders_of_parts_names_the_part_for_training(cli, tmp_path):
    for part in ("test", "train"):
        for label in ("neg", "pos"):
            (tmp_path / "d" / part / label).mkdir(parents=True)
            for k in range(6):
                cli.write(f"d/{part}/{label}/{k}.txt", f"{part} {TEXTS[k]}")
    cli.refuses(3, "rnncli train d/train --test d/test", "train", "d", "--dry-run")
    cli.works("train", "d/train", "--test", "d/test", "--dry-run")
    (tmp_path / "d/train/unsup").mkdir()
    cli.write("d/train/unsup/0.txt", TEXTS[0])
    cli.refuses(3, "mv d/train/unsup d-train-unsup && rnncli train d/train", "train", "d/train", "--dry-run")


def test_names_that_begin_with_label_are_those_of_labels(cli):
    cli.write("a.csv", table(["text", "label_sexist", "label_category"], TEXTS, LABELS, "xyz" * 20))
    cli.refuses(3, "--label label_sexist; or rnncli train a.csv --text text --label label_cat", "train", "a.csv")
