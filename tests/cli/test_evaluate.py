"""Scores on labelled texts, checked against counts of the answers themselves."""

from __future__ import annotations

import json
import os
from itertools import pairwise

import pytest

import rnncli

LABELS = ["neg", "pos"]


@pytest.fixture
def judged(trained, reviews):
    """True label, answer and line of each row, from Python."""
    rows = [line.split(",") for line in reviews.split("\n")[1:-1]]
    answers = rnncli.load().predict([text for text, _ in rows])
    return [(truth, answer, line) for line, ((_, truth), answer) in enumerate(zip(rows, answers, strict=True), 2)]


def test_the_scores_are_counts_of_the_answers(trained, judged):
    document = trained.works("evaluate", "latest", "reviews.csv", "--json").json
    scores = document["scores"]
    right = sum(truth == answer.label for truth, answer, _ in judged)
    assert (scores["rows"], scores["accuracy"]) == (12, right / 12)
    counts = [[sum(t == a and p.label == b for t, p, _ in judged) for b in LABELS] for a in LABELS]
    assert scores["confusion"] == counts
    f1s = []
    for k, label in enumerate(LABELS):
        hits, answered, true = counts[k][k], counts[0][k] + counts[1][k], sum(counts[k])
        entry = scores["labels"][k]
        assert (entry["label"], entry["support"]) == (label, true)
        assert entry["precision"] == pytest.approx(hits / answered)
        assert entry["recall"] == pytest.approx(hits / true)
        f1s.append(2 * hits / (answered + true))
        assert entry["f1"] == pytest.approx(f1s[-1])
    assert scores["macro_f1"] == pytest.approx(sum(f1s) / 2)
    low, high = scores["interval"]
    assert low < scores["accuracy"] <= high <= 1


def test_mistakes_come_most_confident_first_with_their_lines(trained, judged):
    wrong = sorted(
        ((answer.probability, line, truth, answer) for truth, answer, line in judged if truth != answer.label),
        key=lambda entry: -entry[0],
    )
    assert len(wrong) >= 1
    document = trained.works("evaluate", "latest", "reviews.csv", "--json").json
    for entry, (probability, line, truth, answer) in zip(document["mistakes"], wrong, strict=True):
        assert (entry["line"], entry["truth"], entry["predicted"]) == (line, truth, answer.label)
        assert entry["text"] == answer.text
        assert entry["probability"] == pytest.approx(probability, abs=1e-6)
    table = trained.works("evaluate", "latest", "reviews.csv").rows
    start = table.index(["line", "truth", "prediction", "probability", "text"])
    assert [row[0] for row in table[start + 1 :]] == [str(line) for _, line, _, _ in wrong]


def test_the_table_holds_the_numbers_of_the_json(trained):
    scores = trained.works("evaluate", "latest", "reviews.csv", "--json").json["scores"]
    result = trained.works("evaluate", "latest", "reviews.csv")
    low, high = scores["interval"]
    assert result.rows[0] == ["rows", "12"]
    expected = f"{scores['accuracy']:.4f} (95% interval {low:.4f} to {high:.4f}, bootstrap)"
    assert result.rows[1] == ["accuracy", expected]
    assert result.rows[2] == ["macro F1", f"{scores['macro_f1']:.4f}"]
    start = result.rows.index(["label", "precision", "recall", "F1", "rows"])
    for row, entry in zip(result.rows[start + 1 :], scores["labels"], strict=False):
        numbers = [f"{entry[name]:.4f}" for name in ("precision", "recall", "f1")]
        assert row == [entry["label"], *numbers, str(entry["support"])]
    start = result.rows.index(["truth \\ prediction", *LABELS])
    assert result.rows[start + 1] == ["neg", *map(str, scores["confusion"][0])]
    assert result.rows[start + 2] == ["pos", *map(str, scores["confusion"][1])]
    assert result.err == "text: text, label: label; change with --text/--label\n"


def test_how_many_mistakes_are_shown_is_asked_for(trained, reviews):
    swapped = reviews.replace(",pos", ",x").replace(",neg", ",pos").replace(",x", ",neg")
    trained.write("swapped.csv", swapped)
    for asked, shown in ((0, 0), (3, 3), (100, 11)):
        document = trained.works("evaluate", "latest", "swapped.csv", "--mistakes", asked, "--json").json
        assert len(document["mistakes"]) == shown
        confidences = [mistake["probability"] for mistake in document["mistakes"]]
        assert confidences == sorted(confidences, reverse=True)
    assert "probability" not in trained.works("evaluate", "latest", "swapped.csv", "--mistakes", "0").out


def test_many_labels_are_shown_as_the_pairs_that_are_confused(trained):
    trained.write("many.csv", "text,label\n" + "".join(f"good film,l{n}\n" for n in range(14)) + "bad film,l0\n")
    result = trained.works("evaluate", "latest", "many.csv")
    assert ["truth", "prediction", "times"] in result.rows
    assert ["l1", "pos", "1"] in result.rows
    assert ["l0", "neg", "1"] in result.rows
    assert result.rows[1][1].startswith("0.0000 (95% interval 0.0000 to 0.0000")


def test_data_may_come_from_a_pipe(trained, reviews):
    piped = trained.works("evaluate", "latest", "-", stdin=reviews.encode())
    assert piped.out == trained.works("evaluate", "latest", "reviews.csv").out


def test_columns_are_chosen_by_name(trained):
    trained.write("two.csv", "text,label,other\ngood film,pos,neg\nbad film,neg,pos\n")
    right = trained.works("evaluate", "latest", "two.csv", "--json").json["scores"]["accuracy"]
    wrong = trained.works("evaluate", "latest", "two.csv", "--label", "other", "--json").json["scores"]["accuracy"]
    assert (right, wrong) == (1.0, 0.0)


TASKS = {
    "classify": ("a.csv", ["text,label", *(f"{'good' if n % 2 else 'bad'} film {n},{n % 2}" for n in range(40))]),
    "multilabel": (
        "a.jsonl",
        [
            json.dumps({"text": f"{'good' * (n % 2)} {'bad' * (n % 3)} film {n}", "labels": ["a", "b"][n % 2 : n % 3]})
            for n in range(40)
        ],
    ),
    "tag": (
        "a.jsonl",
        [json.dumps({"tokens": ["the", f"dog{n % 5}", "ran"], "tags": ["D", "N", "V"]}) for n in range(40)],
    ),
    "seq2seq": ("a.csv", ["source,target", *(f"{a}{b},{b}{a}" for a, b in pairwise("abcdefghijklmnopqrstuvwxyz" * 2))]),
    "caption": ("a.csv", ["x,y,text", *(f"{n % 7},{n % 3},{'up' if n % 2 else 'down'} {n % 3}" for n in range(40))]),
    "lm": ("a.txt", [f"the dog {n % 5} ran" for n in range(120)]),
}


@pytest.mark.parametrize("task", TASKS)
def test_every_task_is_scored_to_the_same_bits_by_however_many_processes(cli, tiny, monkeypatch, task):
    name, lines = TASKS[task]
    cli.write(name, "\n".join(lines) + "\n")
    cli.works("train", name, *tiny, "--task", task, "--workers", 1, "--seed", 3)
    # Else a chunk is larger than these files.
    for module in ("many_to_one.model", "tag.model", "generation", "caption.model"):
        monkeypatch.setattr(f"rnncli.tasks.{module}.BATCH", 6)
    command = ["evaluate", "latest", name, "--json"]
    alone = cli.works(*command, "--workers", 1).out
    forked, fork = [], os.fork
    monkeypatch.setattr("os.fork", lambda: forked.append(task) or fork())
    for workers in (2, 3):
        assert cli.works(*command, "--workers", workers).out == alone
        assert forked
        forked.clear()
    monkeypatch.setattr("rnncli.parallel.processes.available_cores", lambda: 2)
    monkeypatch.setattr("rnncli.parallel.processes.TEXTS_EACH", 1)
    assert cli.works(*command).out == alone
    assert forked


def test_so_many_processes_are_not_possible(trained):
    for command in (["evaluate", "latest", "reviews.csv"], ["predict", "reviews.csv"]):
        for workers in (0, 65, "x"):
            trained.refuses(2, "--workers", *command, "--workers", workers)


FIGURES = "".join(f"{k % 5}.FILE,{k % 3},{word}\n" for k in range(12) for word in ("up", "down"))
IN_FILES = {
    "classify": ("csv", "text,label\n" + "".join(f"film {k},{'pn'[k % 2]}\n" for k in range(24)), []),
    "multilabel": ("csv", "text,label\n" + "".join(f"film {k},{('a', 'a|b', 'b')[k % 3]}\n" for k in range(24)), []),
    "regress": ("csv", "text,price\n" + "".join(f"film {k % 7},{k}.5\n" for k in range(24)), ["--task", "regress"]),
    "seq2seq": ("tsv", "source\ttarget\n" + "".join(f"{k} film\tno {k}\n" for k in range(24)), []),
    "tag": ("conll", "".join(f"film{k} {'AB'[k % 2]}\nis B\n\n" for k in range(24)), []),
    "caption": ("csv", f"x,y,text\n{FIGURES}", ["--task", "caption"]),
    "forecast": ("csv", "id,t,y\n" + "".join(f"{k // 24}FILE,{k % 24},{k * k % 7}.5\n" for k in range(48)), []),
}


@pytest.mark.parametrize("task", IN_FILES)
def test_mistakes_in_several_files_are_in_a_line_of_one_of_them(cli, tiny, task):
    suffix, content, options = IN_FILES[task]
    for number, name in enumerate(("may", "june")):
        cli.write(f"{name}.{suffix}", content.replace("film", name).replace("FILE", str(number)))
    files, small = [f"may.{suffix}", f"june.{suffix}"], [*tiny[:2], *tiny[4:]]
    options = [*options, "--task", "forecast", "--label", "y", "--window", "3"] if task == "forecast" else options
    cli.works("train", *files, *options, *small)
    found = cli.works("evaluate", *files, "--json", "--mistakes", "200").json["mistakes"]
    lines = {name: (cli.folder / name).read_text().count("\n") for name in files}
    assert {one["file"] for one in found} == set(files)
    assert all(1 <= one["line"] <= lines[one["file"]] for one in found)
    place = f"{found[0]['file']}:{found[0]['line']}"
    assert place in [row[0] for row in cli.works("evaluate", *files).rows]
    alone = cli.works("evaluate", files[1], "--json", "--mistakes", "200").json["mistakes"]
    assert {one["file"] for one in alone} == {None}
    if task not in ("forecast", "regress", "caption"):  # whose units are those of one input after the other
        shown = cli.works("inspect", "--activations", "0", "--data", *files, "--json").json["most"]
        assert {one["file"] for one in shown} <= set(files)


def test_views_of_data_read_several_files(trained):
    trained.write("a.csv", "text,label\ngood fun,pos\na good film,neg\n")
    trained.write("b.csv", "text,label\na bad film,neg\ngood fun,pos\n")
    once = trained.works("inspect", "--doctor", "a.csv", "b.csv", "--full", "--json").json
    assert once["rows"] == 4
    places = {(one["file"], one["line"], one["other_file"], one["other"]) for one in once["evidence"]}
    assert ("b.csv", 3, "a.csv", 2) in places
    assert trained.works("inspect", "--doctor", "a.csv", "--doctor", "b.csv", "--full", "--json").json == once
    assert ["duplicates", "b.csv:3", "a.csv:2"] in [
        row[:3] for row in trained.works("inspect", "--doctor", "a.csv", "b.csv", "--full").rows
    ]
    shown = trained.works("inspect", "--activations", "all", "--data", "a.csv", "--data", "b.csv", "--json").json
    assert shown["texts"] == 4
    trained.refuses(2, "--doctor reads a file here, and a text is given", "inspect", "--doctor", "a.csv", "so good")
    trained.refuses(2, "one text is opened at a time", "inspect", "--timesteps", "so", "good")
