"""Models side by side on the same rows."""

from __future__ import annotations

import re

import numpy as np
import pytest

import rnncli
from rnncli.errors import DataError, UsageError
from rnncli.tasks.comparison import RowScores, compare, wilson_interval
from rnncli.training import compared

ROWS = "text,label\n" + "".join(
    f"{'good' if k % 3 else 'bad'} {k % 7},{'pos' if k % 3 else 'neg'}\n" for k in range(24)
)
NEW = "text,label\n" + "good 1,pos\nbad 2,neg\ngood 3,pos\nbad 4,pos\n"


@pytest.fixture
def three(cli):
    """Two models of a few epochs, a and b, and one that has learned nothing, c."""
    cli.write("r.csv", ROWS)
    cli.write("new.csv", NEW)
    for name, epochs, cell in (("a", 8, "gru"), ("b", 8, "rnn"), ("c", 0, "lstm")):
        how = ["--hidden", "4", "--min-count", "1", "--lr", "0.05", "--dropout", "0", "--validation", "0.3"]
        cli.works("train", "r.csv", *how, "--epochs", epochs, "--cell", cell, "--name", name)
    return cli


def test_each_model_has_the_score_that_evaluate_gives(three):
    found = three.works("compare", "a", "b", "c", "new.csv", "--json").json
    assert (found["task"], found["metric"], found["rows"]) == ("classify", "accuracy", 4)
    by_name = {one["name"]: one for one in found["models"]}
    assert set(by_name) == {"a", "b", "c"}
    for name, one in by_name.items():
        scored = three.works("evaluate", "new.csv", "-m", name, "--json").json["scores"]
        assert one["score"] == scored["accuracy"]
        assert one["interval"] == pytest.approx(list(wilson_interval(one["score"], 4)))
        assert one["parameters"] == sum(np.size(p) for p in _parameters(rnncli.load(f"runs/{name}").params))
        assert one["trained_on_these"] is False
    scores = [one["score"] for one in found["models"]]
    assert scores == sorted(scores, reverse=True)
    assert found["models"][0]["beside_best"] is None


def _parameters(params):
    for value in params.values():
        yield from _parameters(value) if isinstance(value, dict) else [value]


def test_the_table_and_the_verdict_are_shown(three):
    shown = three.works("compare", "a", "b", "new.csv")
    assert shown.rows[0] == ["model", "accuracy", "95% interval", "behind the best", "rows/s", "parameters"]
    assert {row[0] for row in shown.rows[1:]} == {"a", "b"}
    assert "a and b cannot be told apart by their accuracy on 4 rows of new.csv" in re.sub(
        r"b and a", "a and b", shown.err
    )
    seen = three.works("compare", "a", "b", "r.csv")
    assert "were trained on this very file: such a score says nothing about new rows." in seen.err
    assert rnncli.compare(["a", rnncli.load("runs/b")], "new.csv").rows == 4


def scored(name: str, right: list[int], best: list[int] | None, parameters: int) -> compared.Scored:
    rows = RowScores.of_answers(np.array(right))
    how = {"share": True, "higher_is_better": True}
    beside = None if best is None else compare(RowScores.of_answers(np.array(best)), rows, name, "accuracy", **how)
    return compared.Scored(
        name=name,
        score=rows.score,
        interval=(0, 1),
        method="Wilson",
        rows_per_second=1,
        parameters=parameters,
        trained_on_these=False,
        beside_best=beside,
    )


BEST, CLOSE, FAR = [1] * 40, [1] * 39 + [0], [0] * 20 + [1] * 20


@pytest.mark.parametrize(
    ("others", "says"),
    [
        (
            [("far", FAR, 9)],
            "Take best: its accuracy on 40 rows of d.csv is better than that of far, by 50.0 points; 95% ",
        ),
        (
            [("close", CLOSE, 9)],
            "best and close cannot be told apart by their accuracy on 40 rows of d.csv (by 2.5 points",
        ),
        ([("even", BEST, 9)], "on 40 rows of d.csv (both are right on the same rows); take even, which"),
        ([("close", CLOSE, 9)], "; take close, which is the smallest."),
        ([("close", CLOSE, 900)], "; take best, which is the smallest."),
        ([("close", CLOSE, 100)], "; take any of them."),
        ([("close", CLOSE, 9), ("far", FAR, 1)], "; take close, which is the smallest, and not far, which is worse."),
        (
            [("close", CLOSE, 9), ("far", FAR, 1), ("off", FAR, 1)],
            "; take close, which is the smallest, and not far or off, which are worse.",
        ),
    ],
)
def test_the_verdict_takes_the_smallest_that_is_not_worse(others, says):
    models = [scored("best", BEST, None, 100), *(scored(name, right, BEST, size) for name, right, size in others)]
    assert says in compared._verdict(models, "accuracy", True, "d.csv", 40)


def test_what_cannot_be_compared_is_refused(three):
    three.refuses(2, "compare takes two models or more", "compare", "a", "new.csv")
    three.refuses(2, "a is named twice", "compare", "a", "a", "new.csv")
    three.refuses(5, "there is no run 'x'", "compare", "a", "x", "new.csv")
    three.refuses(2, "stdin can be read only once", "compare", "a", "b", "-")
    text = three.write("t.txt", "so good and warm and so on\n" * 9)
    three.works("train", text, "--hidden", "3", "--epochs", "0", "--min-count", "1", "--name", "text")
    three.refuses(2, ["a is a model of the task classify, and text of lm"], "compare", "a", "text", "new.csv")
    with pytest.raises(UsageError, match="compare takes two models or more"):
        rnncli.compare(["a"], "new.csv")


def test_models_that_read_a_text_in_other_pieces_are_not_compared(cli):
    text = cli.write("t.txt", "so good and warm and so on and on\n" * 40)
    for name, tokens in (("chars", "char"), ("words", "word")):
        how = ["--hidden", "3", "--epochs", "1", "--min-count", "1", "--validation", "0.3", "--name", name]
        cli.works("train", text, *how, "--tokens", tokens)
    with pytest.raises((DataError, UsageError), match=r"cannot be compared row by row|compare models of one task"):
        rnncli.compare(["chars", "words"], text)
