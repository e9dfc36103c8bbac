"""What the lines of texts look like, alone and in several files: each doubt has commands that work as they stand."""

from __future__ import annotations

import random
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile

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
