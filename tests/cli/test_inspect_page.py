"""``inspect --html``: one file, whole, for any model; never over another one unasked (44, 78, 99, 100)."""

from __future__ import annotations

import re

import pytest

import rnncli

TEXT = "good film was zzz"


def test_a_page_is_written_and_nothing_printed(trained):
    result = trained.works("inspect", TEXT, "--html", "x.html")
    source = (trained.folder / "x.html").read_text("utf-8")
    assert result.out == ""
    assert re.search(r"page written to x\.html, \d+ kB: open it in a browser", result.err)
    assert source.startswith("<!DOCTYPE html>\n")
    assert source.endswith("</html>\n")
    assert "runs/reviews-1/model.safetensors" in source
    trained.works("inspect", TEXT, "--html", "y.html")
    assert (trained.folder / "y.html").read_text("utf-8") == source


def test_without_a_text_the_models_own_example(trained):
    trained.works("inspect", "--html", "x.html")
    title = re.search("<title>(.*?) →", (trained.folder / "x.html").read_text("utf-8"))
    assert title[1] == rnncli.load("runs/latest").example


def test_the_same_numbers_as_json(trained):
    document = trained.works("inspect", TEXT, "--html", "x.html", "--json").json
    timesteps = trained.works("inspect", TEXT, "--timesteps", "--json").json
    assert [step["token"] for step in document["steps"]] == timesteps["tokens"]
    assert [dict(step["numbers"])["‖h‖"] for step in document["steps"]] == pytest.approx(timesteps["norm"], rel=1e-6)
    why = trained.works("inspect", TEXT, "--why", "--json").json
    assert [effect["replaced"] for effect in document["reasons"]["effects"]] == why["replaced"]
    gates = trained.works("inspect", TEXT, "--gates", "--json").json
    assert [list(row) for row in zip(*document["grids"][0]["values"], strict=True)] == gates[0]["values"]["h"]


def test_beside_other_views(trained):
    plain = trained.works("inspect", TEXT, "--timesteps", "--why").out
    result = trained.works("inspect", TEXT, "--timesteps", "--why", "--html", "x.html", "--svg", "x.svg")
    assert result.out == plain
    assert (trained.folder / "x.svg").read_text("utf-8").startswith("<svg")
    assert (trained.folder / "x.html").exists()
    document = trained.works("inspect", TEXT, "--why", "--json", "--html", "y.html").json
    assert document["answer"] in ("neg", "pos")


def test_another_answer(trained):
    for answer in ("neg", "pos"):
        document = trained.works("inspect", TEXT, "--html", "x.html", "--answer", answer, "--json", "--force").json
        assert document["reasons"]["answer"] == answer
        assert document["terms"][0]["answer"] == f"the label {answer}"
    trained.refuses(2, "the model knows no label 'poss'", "inspect", TEXT, "--html", "z.html", "--answer", "poss")


def test_a_page_and_a_picture_are_two_files(trained):
    trained.refuses(2, "--svg draws the tables that are shown", "inspect", "--html", "a", "--svg", "b")
    trained.refuses(2, "in a file of its own", "inspect", "--why", "--html", "a", "--svg", "a")


def test_a_text_without_tokens_has_no_page(trained):
    trained.refuses(2, "the text is empty: there is no timestep to show", "inspect", "", "--html", "x.html")
