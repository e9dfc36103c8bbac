"""How texts become numbers: vectors of one text, statistics of a file."""

from __future__ import annotations

import pytest

import rnncli

SMALL = """text
The cat saw the cat.
a cat
The DOG

"""


def test_the_vectors_of_the_notes(cli):
    result = cli.works("tokenize", "movie was good bad not")
    assert result.rows == [
        ["t", "token", "id", "one-hot", ""],
        ["1", "movie", "0", "10000", ""],
        ["2", "was", "1", "01000", ""],
        ["3", "good", "2", "00100", ""],
        ["4", "bad", "3", "00010", ""],
        ["5", "not", "4", "00001", ""],
    ]
    assert result.err == "shape (timesteps, features) = (5, 5)\n"
    document = cli.works("tokenize", "movie was good bad not", "--json").json
    assert document["tokens"] == ["movie", "was", "good", "bad", "not"]
    assert document["ids"] == [0, 1, 2, 3, 4]
    assert document["known"] == [True] * 5
    assert document["shape"] == {"timesteps": 5, "features": 5}
    assert document["one_hot"] == [[int(i == j) for j in range(5)] for i in range(5)]


@pytest.mark.usefixtures("terminal")
def test_the_vectors_on_a_terminal(cli):
    result = cli.works("tokenize", "movie was good bad not")
    for vector in ("10000", "01000", "00100", "00010", "00001"):
        assert result.out.count(vector) == 1
    assert "shape (timesteps, features) = (5, 5)" in result.out


def test_a_word_that_repeats_has_one_id(cli):
    document = cli.works("tokenize", "Good, good film!", "--json").json
    assert document["tokens"] == ["good", ",", "good", "film", "!"]
    assert document["ids"] == [0, 1, 0, 2, 3]
    assert document["shape"] == {"timesteps": 5, "features": 4}
    assert cli.works("tokenize", "Good good", "--no-lowercase", "--json").json["ids"] == [0, 1]


def test_letters(cli):
    document = cli.works("tokenize", "Abba", "--tokens", "char", "--json").json
    assert (document["tokens"], document["ids"]) == (["a", "b", "b", "a"], [0, 1, 1, 0])


def test_many_features_are_told_by_the_place_of_the_one(cli):
    text = " ".join(f"w{n}" for n in range(25))
    rows = cli.works("tokenize", text).rows
    assert rows[25] == ["25", "w24", "24", "1 at 24 of 25", ""]
    assert cli.works("tokenize", text, "--json").json["one_hot"] is None
    assert len(cli.works("tokenize", " ".join(text.split()[:24]), "--json").json["one_hot"][0]) == 24


def test_a_model_reads_with_its_own_vocabulary(trained):
    vocabulary = rnncli.load().input.vocabulary
    document = trained.works("tokenize", "Good zzz", "--model", "latest", "--json").json
    assert document["ids"] == [vocabulary.encode(["good"])[0], vocabulary.unknown]
    assert document["known"] == [True, False]
    assert document["shape"]["features"] == vocabulary.size == 13
    rows = trained.works("tokenize", "Good zzz", "--model", "latest").rows
    assert rows[2] == ["2", "zzz", "12", "0000000000001", "unknown"]


def test_a_text_without_tokens(cli):
    for text in ("", "   ", "<br/>"):
        cli.refuses(3, "the text has no tokens", "tokenize", text)


def test_the_statistics_of_a_file_counted_by_hand(cli):
    """the ×3, cat ×3, "." a dog saw once: 10 tokens, 6 distinct; lengths 6, 2, 2."""
    cli.write("s.csv", SMALL)
    result = cli.works("tokenize", "s.csv")
    assert result.err == "text: text; change with --text\n"
    assert result.rows[:5] == [
        ["rows", "3"],
        ["tokens", "10 words"],
        ["distinct", "6, of which 4 occur once"],
        ["lengths", "2 to 6, median 2, 95% up to 5"],
        ["vocabulary", "6 known; 0.00% of all tokens are unknown"],
    ]
    assert [row for row in result.rows if len(row) == 3] == [
        ["token", "count", "id"],
        ["cat", "3", "0"],
        ["the", "3", "1"],
        [".", "1", "2"],
        ["a", "1", "3"],
        ["dog", "1", "4"],
        ["saw", "1", "5"],
    ]
    assert ["6", "1.0000"] in result.rows
    document = cli.works("tokenize", "s.csv", "--json").json
    assert document["lengths"] == [2, 2, 5, 6]
    assert (document["rows"], document["empty"], document["tokens"], document["distinct"]) == (3, 0, 10, 6)
    assert (document["once"], document["vocabulary"], document["unknown_rate"]) == (4, 6, 0)
    assert document["coverage"] == [{"size": 6, "share": 1.0}]
    assert document["commonest"][:2] == [["cat", 3], ["the", 3]]


def test_the_statistics_of_lines_count_the_empty_ones(cli):
    result = cli.works("tokenize", "-", stdin=b"the cat\n\n\nthe dog\n")
    assert result.rows[0] == ["rows", "4 (2 empty)"]
    assert result.rows[3] == ["lengths", "0 to 2, median 1, 95% up to 2"]


def test_the_vocabulary_is_limited_by_count_and_by_size(cli):
    cli.write("s.csv", SMALL)
    document = cli.works("tokenize", "s.csv", "--min-count", "2", "--json").json
    assert (document["vocabulary"], document["unknown_rate"]) == (2, pytest.approx(0.4))
    document = cli.works("tokenize", "s.csv", "--max-vocabulary", "1", "--json").json
    assert (document["vocabulary"], document["unknown_rate"]) == (1, pytest.approx(0.7))
    document = cli.works("tokenize", "s.csv", "--no-lowercase", "--json").json
    assert document["distinct"] == 7  # The ×2, the ×1
    document = cli.works("tokenize", "s.csv", "--tokens", "char", "--json").json
    assert (document["unit"], document["tokens"], document["lengths"][3]) == ("char", 32, 20)


def test_coverage_at_round_sizes(cli):
    cli.write("c.txt", "".join(f"w{n}\n" for n in range(150)) + "w0\n" * 50)
    document = cli.works("tokenize", "c.txt", "--tokens", "word", "--json").json
    assert [entry["size"] for entry in document["coverage"]] == [10, 100, 150]
    assert [entry["share"] for entry in document["coverage"]] == pytest.approx([60 / 200, 150 / 200, 1])


def test_a_files_statistics_with_a_models_vocabulary(trained):
    trained.write("s.txt", "good zzz\ngood film zzz\n")
    document = trained.works("tokenize", "s.txt", "--model", "latest", "--json").json
    assert (document["vocabulary"], document["unknown_rate"]) == (12, pytest.approx(0.4))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--tokens", "letter"], "tokens must be one of auto, word, char, symbol, not 'letter'"),
        (["--min-count", "0"], "min_count must be at least 1"),
        (["--max-vocabulary", "-1"], "max_vocabulary must be at least 1"),
    ],
)
def test_options_have_the_limits_of_training(cli, options, says):
    cli.write("a.txt", "good\n")
    cli.refuses(2, says, "tokenize", "a.txt", *options)


@pytest.mark.parametrize("name", ["a.jsonl", "a.conll"])
def test_lists_of_words_are_counted_as_words(cli, name):
    cli.write("a.jsonl", '{"tokens": ["The", "cat,", "the"], "tags": ["D", "N", "D"]}\n')
    cli.write("a.conll", "The D\ncat, N\nthe D\n")
    document = cli.works("tokenize", name, "--json").json
    assert (document["unit"], document["tokens"], document["distinct"]) == ("word", 3, 3)
    assert dict(document["commonest"]) == {"The": 1, "cat,": 1, "the": 1}
    cli.refuses(2, "--tokens and --lowercase are for texts", "tokenize", name, "--lowercase")
