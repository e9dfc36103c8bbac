"""A view is a file and a row: flag, help, what goes with it, JSON, picture and page come from the row."""

from __future__ import annotations

import pytest

import rnncli
from rnncli.cli.views.table import VIEWS, Views
from rnncli.cli.views.view import Shown, Subject, View
from rnncli.results import Column, TableView

TEXT = "good film"


def test_a_type_checker_knows_the_views_and_their_values():
    assert [view.name for view in VIEWS] == list(Views.__annotations__)
    switches = [name for name, value in Views.__annotations__.items() if value.__forward_arg__ == "bool"]
    assert [view.name for view in VIEWS if view.kind is bool] == switches


def lengths(subject: Subject) -> TableView:
    tokens = subject.adapter.tokens(subject.adapter.text(subject.text))
    columns = (Column("token"), Column("letters", True))
    return TableView("How long the tokens are", columns, tuple((token, len(token)) for token in tokens))


def draw(subject: Subject, *, full: bool = False) -> Shown:
    table = lengths(subject)
    return Shown([table] if full else [TableView(table.title, table.columns, table.rows[:1])], dict(table.rows))


@pytest.fixture
def stand_in_view():
    row = View(
        "lengths",
        "How long every token is.",
        draw,
        answer=False,
        drawing=("full",),
        page=lambda subject: [lengths(subject)],
    )
    VIEWS.insert(4, row)
    yield row
    VIEWS.remove(row)


@pytest.mark.usefixtures("stand_in_view")
def test_flag_help_tables_json_picture_and_page_come_from_the_row(trained):
    sections = trained.works("inspect", "--help").out.split("\n\n")
    (views,) = [section for section in sections if section.startswith("Views of a text:")]
    assert "--lengths          How long every token is." in views
    assert trained.works("inspect", "--lengths", TEXT).rows == [["token", "letters"], ["good", "4"]]
    assert trained.works("inspect", "--lengths", TEXT, "--full").rows[-1] == ["film", "4"]
    assert trained.works("inspect", "--lengths", TEXT, "--json").json == {"good": 4, "film": 4}
    both = trained.works("inspect", "--lengths", "--why", TEXT, "--json").json
    assert list(both) == ["lengths", "why"]
    trained.works("inspect", "--lengths", TEXT, "--svg", "x.svg")
    assert "letters" in (trained.folder / "x.svg").read_text("utf-8")
    trained.works("inspect", "--lengths", TEXT, "--html", "x.html")
    page = (trained.folder / "x.html").read_text("utf-8")
    assert '<h2 id="lengths-title">How long every token is</h2>' in page
    assert "<td" in page.split('id="lengths-title"')[1].split("</section>")[0]
    assert rnncli.inspect(TEXT, lengths=True)["lengths"] == {"good": 4, "film": 4}


@pytest.mark.usefixtures("stand_in_view")
def test_what_goes_with_it_comes_from_the_row(trained):
    trained.refuses(2, "--lengths, --why", "inspect", "--full")
    trained.refuses(2, "--full chooses what a table shows", "inspect", "--lengths", "--json", "--full")
    trained.refuses(2, "--answer is for --gates", "inspect", "--lengths", "--answer", "pos")
    trained.refuses(2, "--map is for --gates and --bptt", "inspect", "--lengths", "--map")


def test_the_row_is_all_that_the_page_has_of_it(trained):
    trained.works("inspect", TEXT, "--html", "x.html")
    assert "lengths" not in (trained.folder / "x.html").read_text("utf-8")
    trained.refuses(2, "No such option: --lengths", "inspect", "--lengths")
