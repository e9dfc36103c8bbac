"""Which columns are taken, and when it is the user who must say."""

from __future__ import annotations

import random

import pytest

from rnncli.data.tables.columns import choose_columns
from rnncli.errors import DataError, UsageError

REVIEWS = [
    "A warm and funny film that I would see again",
    "Two hours of my life that nobody will give back",
    "The cast tries hard, the script does not",
    "I laughed, I cried, I bought the soundtrack",
    "Not bad for a first attempt, all in all",
    "Long, loud and without a single idea of its own",
]
LABELS = ["pos", "neg", "neg", "pos", "pos", "neg"]
IDS = [str(number) for number in range(100, 106)]


def sample(*columns: list[str]) -> list[tuple[str, ...]]:
    return list(zip(*columns, strict=True))


@pytest.mark.parametrize(
    ("columns", "text", "label"),
    [
        ("text label", "text", "label"),
        ("label text", "text", "label"),
        ("Review Sentiment", "Review", "Sentiment"),
        ("id SENTENCE y", "SENTENCE", "y"),
        ("message class", "message", "class"),
        ("name language", "name", "language"),
        ("tokens tags", "tokens", "tags"),
        ("source target", "source", "target"),
        ("sequence label", "sequence", "label"),
        ("title text stars", "text", "stars"),
        ("text language label", "text", "label"),
        ("tweet_id airline_sentiment airline_sentiment_confidence tweet_text", "tweet_text", "airline_sentiment"),
        ("reviewText overallRating", "reviewText", "overallRating"),
        ("class_name text", "text", "class_name"),
    ],
)
def test_names_alone_are_enough_where_they_are_telling(columns, text, label):
    names = columns.split()
    chosen = choose_columns(names, [])
    assert (names[chosen.text], names[chosen.label]) == (text, label)
    assert chosen.why == f"text: {text}, label: {label}; change with --text/--label"


def test_two_names_for_a_text_are_told_apart_by_length():
    titles = [review.split()[0] for review in REVIEWS]
    for names in (("content", "body", "label"), ("body", "content", "label")):
        assert choose_columns(names, sample(titles, REVIEWS, LABELS)).text == 1
    with pytest.raises(DataError, match="cannot tell which column is the text"):
        choose_columns(("content", "body", "label"), sample(REVIEWS, REVIEWS, LABELS))


def test_two_names_for_a_label_are_told_apart_by_the_one_that_repeats():
    assert choose_columns(("text", "topic", "rating"), sample(REVIEWS, IDS, LABELS)).label == 2
    with pytest.raises(DataError, match="cannot tell which column is the label"):
        choose_columns(("text", "topic", "rating"), sample(REVIEWS, LABELS, LABELS))


def test_without_telling_names_the_sample_decides():
    scores = ["0.91", "0.12", "0.33", "0.75", "0.81", "0.02"]
    names = ("nr", "a", "b", "c")
    for order in ((0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)):
        parts = [(IDS, REVIEWS, LABELS, scores)[at] for at in order]
        chosen = choose_columns([names[at] for at in order], sample(*parts))
        assert (order[chosen.text], order[chosen.label]) == (1, 2)


def test_a_long_label_that_repeats_is_not_the_text():
    short = ["ab", "bc", "cd", "de", "ef", "fg"]
    long = ["first category", "second category"] * 3
    assert choose_columns(("p", "q"), sample(long, short))[:2] == (1, 0)


def test_of_two_columns_one_is_named_and_the_other_is_what_remains():
    assert choose_columns(("text", "q"), sample(REVIEWS, REVIEWS)).label == 1
    assert choose_columns(("p", "label"), sample(REVIEWS, REVIEWS)).text == 0


def test_a_column_that_never_changes_is_not_preferred_as_label():
    constant = ["train"] * 6
    assert choose_columns(("text", "p", "q"), sample(REVIEWS, constant, LABELS)).label == 2
    assert choose_columns(("text", "p"), sample(REVIEWS, constant)).label == 1


@pytest.mark.parametrize("name", ["id", "review_id", "column 1", "nr"])
def test_columns_of_numbers_that_count_are_ignored(name):
    chosen = choose_columns((name, "p", "q"), sample(IDS, REVIEWS, LABELS))
    assert chosen[:2] == (1, 2)
    with pytest.raises(DataError, match="cannot tell which column is the label"):
        choose_columns((name, "text"), sample(IDS, REVIEWS))


def test_two_candidates_for_a_label_are_asked_about():
    with pytest.raises(DataError) as caught:
        choose_columns(("text", "p", "q"), sample(REVIEWS, LABELS, LABELS))
    assert caught.value.exit_code == 3
    assert caught.value.message == "cannot tell which column is the label: the columns are 'text', 'p', 'q'"
    assert caught.value.hint == "Name it with --label COLUMN; equally likely: 'p', 'q'."
    assert choose_columns(("text", "p", "q"), sample(REVIEWS, LABELS, LABELS), label="q").label == 2


def test_two_candidates_for_a_text_are_asked_about():
    with pytest.raises(DataError, match="cannot tell which column is the text: the columns are 'p', 'q', 'label'") as e:
        choose_columns(("p", "q", "label"), sample(REVIEWS, REVIEWS, LABELS))
    assert e.value.hint.startswith("Name it with --text COLUMN")
    with pytest.raises(DataError, match="cannot tell"):
        choose_columns(("p", "q"), [])


def test_a_list_of_many_columns_is_cut_with_a_count():
    with pytest.raises(DataError, match=r"'c19' and 480 more$"):
        choose_columns([f"c{at}" for at in range(500)], [])


def test_named_columns_are_taken_as_they_are():
    chosen = choose_columns(("label", "text", "x"), [], text="label", label="x")
    assert chosen == (0, 2, "text: label, label: x")
    assert choose_columns(("a", "b", "label"), [], text="b") == (
        1,
        2,
        "text: b, label: label; change with --text/--label",
    )


def test_a_name_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(DataError) as caught:
        choose_columns(("review", "label"), [], text="reviw")
    assert caught.value.exit_code == 3
    assert caught.value.message == "--text: there is no column 'reviw'; did you mean 'review'?"
    assert caught.value.hint == "The columns are 'review', 'label'."
    with pytest.raises(DataError, match=r"--label: there is no column 'Label'; did you mean 'label'\?"):
        choose_columns(("review", "label"), [], label="Label", need_label=False)


def test_one_column_for_both_is_a_usage_error():
    with pytest.raises(UsageError, match="--text and --label both name the column 'text'") as caught:
        choose_columns(("text", "label"), [], text="text", label="text")
    assert caught.value.exit_code == 2


def test_without_need_of_a_label_none_is_guessed():
    assert choose_columns(("text", "label"), [], need_label=False) == (0, None, "text: text; change with --text")
    assert choose_columns(("text", "label"), [], label="label", need_label=False).label == 1
    assert choose_columns(("anything",), [], need_label=False).text == 0
    assert choose_columns(("label",), [], need_label=False).text == 0
    assert choose_columns(("label", "p"), [], need_label=False).text == 1


@pytest.mark.parametrize("name", ["text", "label", "x"])
def test_a_single_column_is_not_enough_for_both(name):
    with pytest.raises(DataError, match=f"the only column is '{name}', but a text and a label are needed"):
        choose_columns((name,), [])


def test_the_order_of_rows_does_not_matter():
    rows = sample(IDS, REVIEWS, LABELS)
    chosen = choose_columns(("a", "b", "c"), rows)
    for seed in range(10):
        assert choose_columns(("a", "b", "c"), random.Random(seed).sample(rows, len(rows))) == chosen
