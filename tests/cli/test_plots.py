"""``--plot``: learning curves and confusion matrices in files."""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as xml

import pytest
from attacks import dangers

import rnncli
from rnncli.errors import UsageError
from rnncli.render.plots import drawn
from rnncli.results import Curves, HeatMap

CURVES = Curves("Loss", (("training", ((1, 0.5), (2, 0.25))), ("validation", ((1, 0.75), (2, 1.0)))), best=1)
CONFUSION = HeatMap("Confusion", ("good", "bad"), ("good", "bad"), ((3.0, 1.0), (0.0, 0.0)))
SVG = "{http://www.w3.org/2000/svg}"
ROWS = "text,label\n" + "good one,pos\nbad one,neg\n" * 8


def texts(picture: bytes) -> list[str]:
    return ["".join(one.itertext()) for one in xml.fromstring(picture).iter(f"{SVG}text")]


def points(picture: bytes) -> list[list[tuple[float, float]]]:
    """Where each curve goes, in pixels."""
    lines = (one.get("d", "") for one in xml.fromstring(picture).iter(f"{SVG}path") if "line" in one.get("class", ""))
    return [[tuple(map(float, pair.split())) for pair in line[1:].split("L")] for line in lines]


def test_curves_rise_and_fall_as_their_numbers():
    picture = drawn([CURVES], ".svg")
    assert {"Loss", "epoch", "best: 1", "training", "validation", "1", "2"} <= set(texts(picture))
    (first, second), (third, fourth) = points(picture)
    assert first[0] == third[0] < second[0] == fourth[0]
    assert (first[1] - second[1]) == pytest.approx(-(fourth[1] - third[1]) * -1, abs=0.2)  # down by .25, up by .25
    assert second[1] > first[1] > third[1] > fourth[1]
    assert drawn([CURVES], ".svg") == picture


def test_a_matrix_has_the_share_of_each_true_label():
    picture = drawn([CONFUSION], ".svg")
    assert [text for text in texts(picture) if text.startswith(".")] == [".75", ".25"]
    assert texts(picture).count("good") == texts(picture).count("bad") == 2


def test_a_page_holds_the_picture_and_refers_to_nothing():
    page = drawn([CURVES, CONFUSION], ".html").decode()
    assert str(drawn([CURVES, CONFUSION], ".svg").decode()) in page
    assert not re.search(r"<script|https?://(?!www\.w3\.org/2000/svg)|@import|url\(", page)


def test_names_of_the_data_are_text_in_every_format():
    name = "<b>&\x1b[2J$x_1$"
    confusion = HeatMap("t", (name, "b"), (name, "b"), ((1.0, 0.0), (0.0, 1.0)))
    picture = drawn([confusion], ".svg")
    assert dangers(picture.decode()) == set()
    assert texts(picture)[1].startswith("<b>&")
    assert drawn([confusion], ".png").startswith(b"\x89PNG")


def test_a_png_has_the_same_pictures():
    assert drawn([CURVES, CONFUSION], ".png").startswith(b"\x89PNG\r\n\x1a\n")


@pytest.mark.parametrize("suffix", ["svg", "html", "PNG"])
def test_train_and_evaluate_draw(cli, tiny, suffix):
    cli.write("r.csv", ROWS)
    cli.works("train", "r.csv", *tiny, "--plot", f"curves.{suffix}")
    cli.works("evaluate", "r.csv", "--plot", f"confusion.{suffix}")
    for name in ("curves", "confusion"):
        content = (cli.folder / f"{name}.{suffix}").read_bytes()
        assert content.startswith({"svg": b"<svg", "html": b"<!doctype", "PNG": b"\x89PNG"}[suffix])
    cli.refuses(2, "exists already", "evaluate", "r.csv", "--plot", f"confusion.{suffix}")
    cli.works("evaluate", "r.csv", "--plot", f"confusion.{suffix}", "--force")


def test_what_cannot_be_drawn_is_refused_before_the_work(cli, tiny, monkeypatch):
    cli.write("r.csv", ROWS)
    cli.refuses(2, "ends in .svg or .png or .html or .htm, and c.gif does not", "train", "r.csv", "--plot", "c.gif")
    cli.refuses(2, "r.svg is also the input", "train", cli.write("r.svg", ROWS), "--plot", "r.svg", "--force")
    with pytest.raises(UsageError, match=r"c\.gif does not"):
        rnncli.train("r.csv", plot="c.gif")
    cli.works("train", "r.csv", *tiny, "--task", "lm")
    cli.refuses(
        2, "--plot draws a confusion matrix of labels", "evaluate", cli.write("t.txt", "good one\n"), "--plot", "c.svg"
    )
    for name in [one for one in sys.modules if one.startswith("matplotlib")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr("rnncli.render.plots.find_spec", lambda name: None)
    cli.refuses(2, ["not installed", "pip install 'rnncli[plots]'"], "train", "r.csv", *tiny, "--plot", "c.png")
