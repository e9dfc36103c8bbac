"""A cell that ours are not like, through every command and every view: a file and a name are all that it took."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.numpy import load_file

import rnncli
from rnncli.cli.arguments.options import setting_options
from rnncli.inspection.adapters import adapter_of
from rnncli.inspection.flow import flow

pytestmark = pytest.mark.usefixtures("stand_in_cells")
SAMPLES = Path(__file__).parents[2] / "sample_data"
# Task → its sample, how much of it, an input, and options of a training.
TASKS = {
    "words": ("reviews.csv", 24, "a good film", ["--layers", "2"]),
    "numbers": ("vibration.jsonl", 16, "[[0.5, -0.8, 1.1], [0.1, -0.1, 0.6], [0.3, -0.3, 1.1]]", ["--readout", "last"]),
    "several": ("films.jsonl", 24, "a film with jokes", ["--readout", "mean"]),
    "tag": ("tags.jsonl", 16, "My boat is here .", []),
    "seq2seq": ("clock.csv", 24, "01:25", ["--layers", "2"]),
    "caption": ("shapes.csv", 16, "0,1,0,1,1", []),
    "lm": ("harbour.txt", 16, "the boat", []),
}
# Of each film which of three words it has, and a label for each.
FILMS = [
    json.dumps(
        {
            "text": " ".join(
                ["a film", *(word for k, word in enumerate(("jokes", "tears", "guns")) if n >> k & 1), "so"]
            ),
            "labels": [label for k, label in enumerate(("comedy", "drama", "action")) if n >> k & 1],
        }
    )
    + "\n"
    for n in range(25)
]
VIEWS = ("timesteps", "gates", "bptt", "memory", "why", "check-gradients")
CELLS = {"peephole": ("peephole LSTM", "hcifog"), "sru": ("SRU", "hcnfr"), "mingru": ("minGRU", "hzn")}
# Every task with the cell that has most to it, and with one of the others.
BOTH = [
    *(("peephole", task) for task in TASKS),
    *(("sru", task) for task in ("words", "several", "tag", "caption")),
    *(("mingru", task) for task in ("numbers", "seq2seq", "lm")),
]


@pytest.mark.parametrize(("cell", "task"), BOTH)
def test_every_command_and_every_view(cell: str, task: str, cli) -> None:
    sample, count, text, options = TASKS[task]
    kind, shown = CELLS[cell]
    lines = FILMS if task == "several" else (SAMPLES / sample).read_text(encoding="utf-8").splitlines(keepends=True)
    lines = lines[: count + 1]
    if task == "caption":  # the first five of the 64 numbers
        lines = [",".join((*line.split(",")[:5], line.split(",")[-1])) for line in lines]
    cli.write(sample, "".join(lines))
    tiny = ["--hidden", "4", "--embedding", "3", "--validation", "0.2", "--schedule", "constant", "--patience", "9"]
    tiny += ["--cell", cell, "--workers", "1", "--keep-epochs", *options]

    trained = cli.works("train", sample, *tiny, "--epochs", "2", "--name", "whole")
    assert f"{kind} (4 units), epoch " in trained.out
    cli.works("train", sample, *tiny, "--epochs", "1", "--name", "parts")
    cli.works("train", "--resume", "parts", "--epochs", "2")
    whole, parts = (load_file(cli.folder / f"runs/{name}/model.safetensors") for name in ("whole", "parts"))
    assert whole.keys() == parts.keys()
    assert all((parts[name] == value).all() for name, value in whole.items())
    model = rnncli.load("runs/whole")
    assert model.network.shapes() == {name: value.shape for name, value in whole.items()}

    assert dict(model.describe())["network"].startswith(f"{kind}, 4 units, ")
    on = ("-m", "whole")
    assert cli.works("predict", text, *on, "--json").json_lines
    evaluated = [cli.works("evaluate", name, sample, "--json").json for name in ("whole", "parts")]
    assert evaluated[0] == evaluated[1]
    assert cli.works("inspect", *on, "--json").json["settings"]["cell"] == cell

    found = {view: cli.works("inspect", f"--{view}", text, *on, "--json").json for view in VIEWS}
    cells = flow(adapter_of(model.in_double()).open(text)).cells
    assert [one["kind"] for one in found["gates"]] == [kind] * len(cells)
    for one, of_cell in zip(found["gates"], cells, strict=True):
        assert "".join(one["values"]) == shown
        for letter, values in one["values"].items():
            assert values == of_cell.values[letter].tolist()
    for one in found["bptt"]["terms"]:
        assert one["residual"] <= 1e-12
        assert one["norm"] > 0
    for name in (f"{cells[-1].name}/{weight}" for weight in cells[-1].cell.shapes()):
        terms = cli.works("inspect", "--bptt", text, "--param", name, *on, "--json").json["terms"]
        assert [one["parameter"] for one in terms] == [name]
        assert terms[0]["residual"] <= 1e-12
    assert {one["kind"] for one in found["memory"]} == {kind}
    assert all(bool(one["norms_c"]) == ("c" in shown) for one in found["memory"])
    assert found["check-gradients"]["passed"]
    assert found["timesteps"]
    assert found["why"]

    cli.works("inspect", "--gates", "--map", text, *on)
    cli.works("inspect", "--memory", text, "--compare", "parts", *on)
    checks = cli.works("inspect", "--doctor", sample, *on, "--json").json
    assert {"dead units", "saturated units"} <= {one["name"] for one in checks["checks"]}
    assert cli.works("inspect", "--diff", "whole@1", text, *on, "--json").json
    assert cli.works("inspect", "--fires", "all", "--data", sample, *on, "--json").json
    cli.works("inspect", text, "--html", "page.html", *on)
    page = (cli.folder / "page.html").read_text(encoding="utf-8")
    assert kind in page


def test_the_name_alone_makes_it_a_choice(cli) -> None:
    """Help, check and suggestion come from the one row."""

    (cell,) = [one for one in setting_options() if one.name == "cell"]
    option = cell.annotation.__metadata__[0]
    assert option.metavar == "rnn|lstm|gru|mingru|peephole|sru"
    cli.write("reviews.csv", (SAMPLES / "reviews.csv").read_text(encoding="utf-8"))
    cli.refuses(2, "did you mean 'peephole'?", "train", "reviews.csv", "--cell", "pephole")
