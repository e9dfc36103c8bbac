"""A layout unlike ours: a file and a row are all it took, and every command that reads data reads by it."""

from __future__ import annotations

import pytest
from stand_ins.layouts import backwards

from rnncli.data.layouts import table

PAIRS = [(f"so {word} {n}", label) for n in range(10) for word, label in (("good", "yes"), ("bad", "no"))]


def written(rows):
    return "txet,nr,lebal\n" + "".join(f"{text[::-1]},7,{label[::-1]}\n" for text, label in rows)


@pytest.fixture(autouse=True)
def _added(monkeypatch):
    monkeypatch.setattr(table, "LAYOUTS", {"backwards": backwards.recognize, **table.LAYOUTS})


def test_every_command_reads_by_a_layout_of_ones_own(cli, tiny):
    cli.write("a.csv", written(PAIRS))
    shown = cli.works("train", "a.csv", "--dry-run", "--json").json
    assert (shown["task"], shown["why"]) == ("classify", "txet and lebal, read backwards")
    assert shown["records"][1] == {"input": "so bad 0", "label": "no"}
    assert [column["role"] for column in shown["columns"]] == ["input", "ignored", "label"]
    assert cli.works("train", "a.csv", *tiny, "--json").json["report"]["labels"] == {"no": 10, "yes": 10}
    assert cli.works("evaluate", "a.csv", "--json").json["scores"]["rows"] == 20
    assert [row["text"] for row in cli.works("predict", "a.csv", "--json").json_lines] == [text for text, _ in PAIRS]
    assert cli.works("tokenize", "a.csv", "--json").json["rows"] == 20
    assert "so good 0" in cli.works("inspect", "--timesteps", "a.csv").err
    assert cli.works("inspect", "--doctor", "a.csv", "--json").code == 0
    cli.works("train", "--resume", "latest", "--epochs", "3")
    cli.write("b.csv", written([*PAIRS, ("so so", "")]))
    cli.refuses(3, "b.csv:22: the lebal is empty", "train", "b.csv", *tiny)
    cli.refuses(2, "--time has no effect on a.csv", "train", "a.csv", "--time", "nr")
