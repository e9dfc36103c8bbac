"""What the lines of texts look like, alone and in several files: each doubt has commands that work as they stand."""

from __future__ import annotations

import json
import random
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path

import numpy as np
import pytest

DRAW = random.Random(5)
WORDS = [
    "good",
    "bad",
    "film",
    "great",
    "awful",
    "plot",
    "boring",
    "lovely",
    "slow",
    "fine",
    "never",
    "again",
    "story",
    "actor",
    "music",
    "weak",
    "strong",
]


def sentences(count: int, words: int = 8) -> list[str]:
    return [" ".join(DRAW.choice(WORDS) for _ in range(words)) for _ in range(count)]


def joined(lines: Sequence[object]) -> str:
    return "".join(f"{line}\n" for line in lines)


def numbers(rows: int, width: int) -> str:
    return joined(["  ".join(f"{DRAW.gauss(0, 1):.5e}" for _ in range(width)) for _ in range(rows)])


def names(*syllables: str) -> str:
    return joined(["".join(DRAW.choice(syllables) for _ in range(3)).capitalize() for _ in range(40)])


PROSE = joined(
    [
        "It was a bright cold day, and the clocks of the harbour were all striking at once, as they",
        "did whenever the wind came from the sea; nobody on the quay looked up, for nobody had ever",
        "known them to agree about anything, and least of all about the time.",
        "",
        "The boats lay two deep along the wall. A boy was counting them, lost count, and began again.",
    ]
    * 12
)
NAMES = {
    "names/Arabic.txt": names("kha", "sa", "ab"),
    "names/English.txt": names("smith", "son", "er"),
    "names/Czech.txt": names("ek", "ova", "vyk"),
}
SERIES = {"har/X_train.txt": numbers(40, 12), "har/y_train.txt": joined([1 + k % 3 for k in range(40)])}


def write(cli, files: Mapping[str, str]) -> None:
    for name, content in files.items():
        (cli.folder / name).parent.mkdir(parents=True, exist_ok=True)
        cli.write(name, content)


def commands(said: str) -> Iterator[list[str]]:
    """The commands that begin with rnncli, and those that make a file with Python, each with the one that reads it."""
    for found in re.finditer(r"python3 -c .*? > (\S+-2\.jsonl)", said):
        subprocess.run(found[0].replace("python3", shlex.quote(sys.executable), 1), shell=True, check=True)
        yield ["train", found[1]]
    for command in re.findall(r"rnncli (train .*?)(?=; |\. |\n|$)", said):
        yield shlex.split(command)


def tasks_of_commands(cli, files: Mapping[str, str], says: str, *arguments: str) -> list[str]:
    """The tasks of the commands in a refusal, which all work."""
    write(cli, files)
    said = cli.refuses(3, says, "train", *arguments, "--dry-run").err
    return [
        cli.works(*takewhile(lambda word: word not in ("--validation", "--test"), command), "--dry-run", "--json").json[
            "task"
        ]
        for command in commands(said)
    ]


def each(form: str, labels: Sequence[str]) -> str:
    """Lines of texts with their labels."""
    return joined([form.format(label=DRAW.choice(labels), text=text) for text in sentences(40)])


# a file → its lines, what is said of them, the tasks of the commands
LABELLED = {
    "a number first": (each("{label} {text}", "01"), "begins with one of a few labels (", ["classify", "lm"]),
    "with a sign": (each("{label} {text} .", ["+1", "-1"]), "begins with one of", ["classify", "lm"]),
    "in two parts": (each("{label} How {text} ?", ["DESC:manner", "HUM:ind"]), "begins with", ["classify", "lm"]),
    "a word": (each("{label} {text}", ["sport", "science", "arts"]), "begins with one of", ["classify", "lm"]),
    "before a comma": (
        each("{label},so {text}", ["ham", "spam"]).replace(" good", ", good"),
        *("begins with one", ["classify", "lm"]),
    ),
    "in brackets": (each("[{label}] {text}", ["pos", "neg"]), "begins with one of", ["classify", "lm"]),
    "a number last": (each("{text} . {label}", "01"), "ends with one of a few labels (", ["classify", "lm"]),
    "a word last": (each("{text} {label}", ["sport", "arts"]), "ends with one of a few labels (", ["classify", "lm"]),
    "symbols": (
        joined([f"{'+-'[k % 2]} {''.join(DRAW.choices('acgt', k=40))}" for k in range(40)]),
        *("begins with one of", ["classify", "lm"]),
    ),
    "trees": (
        joined(
            [f"(3 (2 {a}) ({k % 5} (3 {b}) (2 {c})))" for k in range(40) for a, b, c in [sentences(1, 3)[0].split()]]
        ),
        *("is a tree with labels of its parts ((3 (2 ", ["classify", "lm"]),
    ),
    "parsed trees": (
        joined([f"(ROOT (S (NP (DT The) (NN {one})) (VP (VBD was) (JJ good)) (. .)))" for one in WORDS]),
        *("is a tree of a sentence", ["tag", "lm"]),
    ),
}


@pytest.mark.parametrize("kind", LABELLED)
def test_lines_with_labels_are_refused_with_the_command_that_makes_a_table(cli, kind):
    lines, says, tasks = LABELLED[kind]
    cli.write("a.txt", lines)
    said = cli.refuses(3, says, "train", "a.txt").err
    found = [cli.works(*command, "--dry-run", "--json").json for command in commands(said)]
    assert [one["task"] for one in found] == tasks
    labels = {str(one["label"]) for one in found[0]["records"]}
    assert not any(label in one["input"].split() for one in found[0]["records"] for label in labels)


TRAINED = {
    "prose": PROSE,
    "a poem": joined([f"{first} {text}" for first, text in zip(["And", "The", "O"] * 20, sentences(60), strict=True)]),
    "who does what": joined([f"{DRAW.choice(['Mary', 'John'])} went to the {one}." for one in WORDS * 3]),
    "a dialogue": each("{label}: {text}", ["ANN", "BOB"]),
    "numbered lines": joined([f"{1 + k % 9} {one}" for k, one in enumerate(sentences(60))]),
    "questions": joined([f"{('what', 'who')[k % 2]} {one}" for k, one in enumerate(sentences(60))]),
    "few words": joined(["the cat sat here and there", "a dog ran from the cat"] * 30),
    "code": "".join(f"def f{k}(x):\n    y = x + {k}\n    return y * {k}\n\n\n" for k in range(30)),
}


@pytest.mark.parametrize("kind", TRAINED)
def test_lines_of_a_text_have_no_labels(cli, kind):
    cli.write("a.txt", TRAINED[kind])
    assert cli.works("train", "a.txt", "--dry-run", "--json").json["task"] == "lm"


TAGGED = {"a/in": joined(sentences(40)), "a/out": joined(["O B-x O O I-x O O O", "O O O O O B-x O O"] * 20)}
KINDS = {"a/in": TAGGED["a/in"], "a/label": joined(["ask", "tell"] * 20)}
ATIS = joined([f"BOS {one} EOS\tO B-x O O O O O O O {'ab'[k % 2]}" for k, one in enumerate(sentences(40))])

# files → the arguments, what is said, the tasks of the commands
OTHERS = {
    "sentences with their tags": ({"a.txt": ATIS}, ["a.txt"], "a sentence with a tag for each", ["tag", "classify"]),
    "the same in a file of CoNLL": ({"a.iob": ATIS}, ["a.iob"], "a sentence with a tag for", ["tag", "classify"]),
    "the same in a table": ({"a.tsv": ATIS}, ["a.tsv"], "holds a tag for each word", ["tag", "seq2seq"]),
    "words and tags in two files": (
        TAGGED,
        *(["--source", "a/in", "--target", "a/out"], "a tag for each word of the first", ["tag", "seq2seq"]),
    ),
    "texts and labels in two files": (
        KINDS,
        *(["--source", "a/in", "--target", "a/label"], "a label for each line", ["classify", "seq2seq"]),
    ),
    "a folder of both": (TAGGED | KINDS, ["a"], "in, label and out have as many lines", ["classify", "tag"]),
    "names of files without an ending": (
        {name.removesuffix(".txt"): content for name, content in NAMES.items()},
        *(["names"], "may be the labels of their lines", ["classify", "lm"]),
    ),
    "documents without an ending": (
        {f"d/{label}/{k}": "so it is" for label in "ab" for k in range(20)},
        *(["d"], "d: the names do not say the format", ["classify"]),
    ),
    "no ending": (
        {"a.data": joined([f"{'+-'[k % 2]},S{k},\t\t{''.join(DRAW.choices('acgt', k=57))}" for k in range(40)])},
        *(["a.data"], "3 values separated by commas", ["classify", "lm"]),
    ),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_what_stands_beside_the_words_is_asked_about(cli, kind):
    files, arguments, says, tasks = OTHERS[kind]
    assert tasks_of_commands(cli, files, says, *arguments) == tasks


def test_words_and_tags_in_two_files_train_a_tagger(cli):
    write(cli, TAGGED)
    files = ["--source", "a/in", "--target", "a/out"]
    cli.works("train", *files, "--task", "tag", "--epochs", "1", "--hidden", "4", "--name", "m")
    assert cli.works("evaluate", *files, "--model", "m", "--json").json["scores"]["rows"] == 320
    write(cli, {"a/out": TAGGED["a/out"].replace(" O\n", "\n", 1)})
    cli.refuses(3, "a/in and a/out:1: 8 words and 7 tags", "train", *files, "--task", "tag", "--dry-run")


# several files → what they hold, the arguments, what is said, the tasks of the commands
TOGETHER = {
    "rows of numbers and their labels": (SERIES, ["har"], "have as many lines", ["classify"]),
    "the same by their names": (SERIES, [*SERIES], "have as many lines", ["classify"]),
    "the same to classify": (SERIES, ["har", "--task", "classify"], "have as many lines", ["classify"]),
    "numbers and a number for each": (
        {"d/x.txt": numbers(40, 5), "d/y.txt": joined([k / 7 for k in range(40)])},
        *(["d"], "have as many lines", ["regress"]),
    ),
    "texts and their labels": (
        {"d/labels.txt": joined(["a", "b"] * 30), "d/texts.txt": joined(sentences(60))},
        *(["d"], "have as many lines", ["classify"]),
    ),
    "sentences and their tags": (
        {"d/a.txt": joined(sentences(40)), "d/b.txt": joined(["O B O O O I O O"] * 40)},
        *(["d"], "have as many lines", ["tag"]),
    ),
    "two languages": (
        {"d/a.txt": joined(sentences(40)), "d/b.txt": joined(sentences(40, 9))},
        *(["d"], "these are two text files of as many lines", ["seq2seq", "classify", "lm"]),
    ),
    "names": (NAMES, ["names"], "(Arabic.txt, Czech.txt and English.txt) may be the labels", ["classify", "lm"]),
    "names by their names": (NAMES, [*NAMES], "may be the labels of their lines", ["classify", "lm"]),
    "good and bad": (
        {"a_pos.txt": joined(sentences(40)), "a_neg.txt": joined(sentences(50))},
        *(["a_pos.txt", "a_neg.txt"], "may be the labels of their lines", ["classify", "lm"]),
    ),
    "a table among texts": (
        {"d/1.txt": PROSE, "d/2.txt": joined([f"{k}\t{one}" for k, one in enumerate(sentences(20))])},
        *(["d"], "d/2.txt:1: each line has 1 tab", None),
    ),
    "rows of numbers among texts": (
        {"d/1.txt": PROSE, "d/2.txt": numbers(30, 4)},
        ["d"],
        "d/2.txt:1: each line is",
        None,
    ),
    "parts": (
        {f"d/{part}.txt": PROSE for part in ("train", "valid", "test")},
        *(["d"], "divide the data into parts", ["lm", "lm"]),
    ),
    "parts in folders": (
        {f"d/{part}/a.csv": "text,label\n" + "so it is,a\nno,b\n" * 9 for part in ("train", "test")},
        *(["d"], "(test and train) divide the data into parts", ["classify"]),
    ),
}


@pytest.mark.parametrize("kind", TOGETHER)
def test_text_files_that_are_no_single_text_are_refused_with_commands_that_work(cli, kind):
    files, arguments, says, tasks = TOGETHER[kind]
    if tasks is not None:
        assert tasks_of_commands(cli, files, says, *arguments) == tasks
        return
    write(cli, files)
    cli.refuses(3, says, "train", *arguments)


@pytest.mark.parametrize(
    "files",
    [
        {"chapter1.txt": PROSE, "chapter2.txt": PROSE * 2},
        {"d/1.txt": "so it is\n" * 40, "d/2.txt": "so it was\n" * 50},
        {"austen.txt": PROSE, "woolf.txt": PROSE * 2, "joyce.txt": PROSE * 3},
    ],
)
def test_texts_in_several_files_are_one_language(cli, files):
    write(cli, files)
    arguments = ["d"] if "d/1.txt" in files else [*files]
    assert cli.works("train", *arguments, "--dry-run", "--json").json["task"] == "lm"


def test_the_name_of_a_file_is_the_label_of_its_lines(cli):
    write(cli, {name: f"{content}\n" for name, content in NAMES.items()})
    cli.works(
        "train", "names", "--task", "classify", "--tokens", "char", "--epochs", "12", "--lr", "0.03", "--name", "m"
    )
    scores = cli.works("evaluate", "names", "--model", "m", "--json").json["scores"]
    assert (scores["rows"], scores["accuracy"] > 0.9) == (120, True)
    rows = cli.works("predict", "names", "--model", "m").rows
    assert len(rows) == 123  # empty lines too
    found = cli.works("predict", "Smithsoner", "--model", "m").rows
    assert found[0][0] == "English"


def test_a_file_of_numbers_in_the_folder_of_its_label_is_a_series(cli):
    for k in range(24):
        steps = [f"{DRAW.randint(0, 60)} {t + k % 2} 3" for t in range(9 + k % 4)]
        write(cli, {f"d/{'ab'[k % 2]}/{k}.txt": joined(steps)})
    found = cli.works("train", "d", "--dry-run", "--json").json
    assert (found["task"], found["records"][0]["input"][:28]) == ("classify", "9 timesteps of 3 numbers: [[")


X, Y = np.arange(40 * 5 * 3).reshape(40, 5, 3) / 7, np.arange(40) % 2


@pytest.mark.parametrize("arguments", [["xy.npz"], ["X.npy"], ["--source", "X.npy", "--target", "y.npy"]])
def test_arrays_become_json_lines_by_the_command(cli, arguments):
    np.savez("xy.npz", x_test=X[:9], y_test=Y[:9], x_train=X, y_train=Y)
    np.save("X.npy", X)
    np.save("y.npy", Y)
    said = cli.refuses(3, "which rnncli does not read", "train", *arguments, "--dry-run").err
    (command,) = commands(said)
    found = cli.works(*command, "--dry-run", "--json").json
    assert (found["task"], found["records"][0]["input"][:27]) == ("classify", "5 timesteps of 3 numbers: [")
    assert len(Path(command[1]).read_text().splitlines()) == 40


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.wav", b"RIFF$\0\0\0WAVEfmt ", "a.wav: this is a recording of sound, which rnncli does not read"),
        ("a.mp3", b"ID3\3\0", "ffmpeg -i a.mp3 a-2.wav"),
        ("a.pkl", b"\x80\4]", "A pickle can run any code"),
        ("b c.pdf", b"%PDF-1.4", "pdftotext 'b c.pdf' 'b c-2'.txt"),
        ("a.docx", b"PK\3\4", "a document of a word processor"),
        ("a.zip", b"PK\3\4", "an archive, which rnncli does not read"),
        ("a.pt", b"PK\3\4", "a model of another program"),
        ("a.csv", b"\x89PNG\r\n\x1a\n\0", "a.csv: looks like an image, not text"),
        ("a.txt", b"\x93NUMPY\1\0", "a.txt: looks like a NumPy array, not text"),
    ],
)
def test_what_is_no_text_is_said_to_be_what_it_is(cli, name, content, says):
    cli.write(name, content)
    assert "--format" not in cli.refuses(3, says, "train", name).err


def test_a_text_may_begin_with_the_name_of_a_format(cli):
    cli.write("a.csv", "RIFF,label\n" + "so it is,a\nno it is not,b\n" * 9)
    cli.works("train", "a.csv", "--text", "RIFF", "--label", "label", "--dry-run")


NUMBERED = [",".join(map(str, sorted(DRAW.sample(range(10), 1 + k % 3 // 2)))) for k in range(60)]
UNSORTED = [",".join(map(str, DRAW.sample(range(10), 1 + k % 3 // 2))) for k in range(60)]


@pytest.mark.parametrize(
    ("labels", "says", "tasks"),
    [
        (NUMBERED, "may hold several labels in one (", ["multilabel", "classify", "regress"]),
        (UNSORTED, "holds decimal numbers (", ["regress", "classify", "multilabel"]),
    ],
)
def test_numbers_with_commas_between_them_may_be_labels(cli, labels, says, tasks):
    rows = [f"{text}\t{label}\tx{k}" for k, (text, label) in enumerate(zip(sentences(60), labels, strict=True))]
    assert tasks_of_commands(cli, {"a.tsv": joined(rows)}, says, "a.tsv") == tasks
    several = ["--task", "multilabel", "--text", "1", "--label", "2", "--label-separator", ","]
    found = cli.works("train", "a.tsv", *several, "--dry-run", "--json").json
    assert found["columns"][1]["type"] != "number"
    assert "decimal" not in json.dumps(found)
    cli.works("train", "a.tsv", *several, "--epochs", "1", "--hidden", "4", "--name", "m")
    scores = cli.works("evaluate", "a.tsv", "--model", "m", "--json").json["scores"]
    assert [one["label"] for one in scores["labels"]] == [str(label) for label in range(10)]
