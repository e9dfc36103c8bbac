"""Predictions in files: every row of the inputs with all of its columns, and what was predicted beside it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

import rnncli
from rnncli.data.formats.values import as_text
from rnncli.data.readers import open_table
from rnncli.errors import UsageError

# A quote, a comma, a line end, a formula, a value of spaces; columns before and behind the text.
ROWS = [
    ["id", "text", "note"],
    ["1", "good film", "a, b"],
    ["2", 'so "bad"', "=1+1"],
    ["3", "very\ngood", "  "],
    ["4", "bad noise", "\u00e9\t"],
]


def written(path: Path, delimiter: str = ",") -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter=delimiter))


def table(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


@pytest.fixture
def new(trained):
    table(trained.folder / "new.csv", ROWS)
    return trained


def test_all_columns_are_kept_and_the_answers_added(new):
    predictions = rnncli.predict([row[1] for row in ROWS[1:]])
    new.works("predict", "new.csv", "-o", "out.csv")
    answers = [[p.label, as_text(p.probability)] for p in predictions]
    expected = [row + beside for row, beside in zip(ROWS, [["prediction", "probability"], *answers], strict=True)]
    assert written(new.folder / "out.csv") == expected
    read = open_table("out.csv")
    assert [list(read.columns), *(list(row.values) for row in read.rows)] == expected
    new.works("predict", "new.csv", "-o", "out.jsonl")
    documents = [json.loads(line) for line in (new.folder / "out.jsonl").read_text().splitlines()]
    assert documents == [
        dict(zip(ROWS[0], row, strict=True)) | {"prediction": p.label, "probability": p.probability}
        for row, p in zip(ROWS[1:], predictions, strict=True)
    ]
    new.works("predict", "new.csv", "-o", "out.parquet")
    read = pyarrow.parquet.read_table("out.parquet")
    assert read.to_pylist() == documents
    assert read.schema.types == [*[pa.string()] * 4, pa.float64()]
    plain = [ROWS[0], ROWS[1], ROWS[2]]
    table(new.folder / "plain.csv", plain)
    new.works("predict", "plain.csv", "-o", "out.tsv")
    lines = (new.folder / "out.tsv").read_text().split("\n")
    assert lines == ["\t".join(row) for row in expected[:3]] + [""]
    new.refuses(3, ["'text' in row 3 has a tab or a line end", ".csv"], "predict", "new.csv", "-o", "other.tsv")


def test_probabilities_of_all_labels_and_the_most_probable_ones(new):
    new.works("predict", "new.csv", "-o", "out.csv", "--probabilities", "--top", 5)
    header, *rows = written(new.folder / "out.csv")
    assert header[3:] == [
        *("prediction", "probability", "probability_neg", "probability_pos"),
        *("label_1", "probability_1", "label_2", "probability_2"),
    ]
    for row in rows:
        label, probability, neg, pos, first, highest, second, lowest = row[3:]
        assert {"neg": neg, "pos": pos} == {first: highest, second: lowest}
        assert (label, probability) == (first, highest)
        assert float(highest) > float(lowest)
        assert float(neg) + float(pos) == pytest.approx(1)


def test_a_row_that_cannot_be_read_stays_in_its_place(trained):
    lines = ["id,text", "1,good film", "2", "3,", "4,bad film", "5,good,too much", "6,very good", "7"]
    trained.write("new.csv", "\n".join(lines) + "\n")
    result = trained.works("predict", "new.csv", "-o", "out.csv")
    header, *rows = written(trained.folder / "out.csv")
    assert header == ["id", "text", "prediction", "probability", "problem"]
    assert [row[0] for row in rows] == list("1234567")
    assert [row[2] for row in rows] == ["pos", "", "", "neg", "", "pos", ""]
    assert [row[4] for row in rows] == [
        "",
        "1 value, but the header has 2 columns",
        "the input is empty",
        "",
        "3 values, but the header has 2 columns",
        "",
        "1 value, but the header has 2 columns",
    ]
    assert "4 rows have no prediction; the column 'problem' says why: new.csv:3: 1 value, but" in result.err
    broken = '{"id": 1, "text": "good"}\n{"id": 2\n{"id": 3, "text": null}\n{"id": true, "text": "bad"}\n'
    trained.write("new.jsonl", broken)
    trained.works("predict", "new.jsonl", "-o", "out.jsonl")
    found = [json.loads(line) for line in (trained.folder / "out.jsonl").read_text().splitlines()]
    assert [(one["id"], one["text"], one["prediction"]) for one in found] == [
        (1, "good", "pos"),
        ("", "", None),
        (3, None, None),
        (True, "bad", "neg"),
    ]
    assert found[1]["problem"].startswith("broken JSON")
    # A fault that leaves open where the next row begins is still refused, and no file is made.
    trained.write("open.csv", 'id,text\n1,"good\n2,bad\n')
    trained.refuses(3, "open.csv:2", "predict", "open.csv", "-o", "open-out.csv")


def test_many_rows_by_several_processes_are_the_same(trained):
    lines = [f"{n},{'good' if n % 3 else 'bad'} film" if n % 50 else f"{n}" for n in range(3_000)]
    trained.write("many.csv", "id,text\n" + "\n".join(lines) + "\n")
    trained.works("predict", "many.csv", "-o", "one.csv", "--workers", 1)
    trained.works("predict", "many.csv", "-o", "two.csv", "--workers", 2)
    rows = written(trained.folder / "one.csv")
    assert [row[0] for row in rows[1:]] == [str(n) for n in range(3_000)]
    assert [row[2] for row in rows[1:]] == ["" if n % 50 == 0 else "pos" if n % 3 else "neg" for n in range(3_000)]
    assert (trained.folder / "one.csv").read_bytes() == (trained.folder / "two.csv").read_bytes()


def test_names_that_the_inputs_have_get_a_number(trained):
    trained.write("new.csv", "text,prediction,probability,probability_2\ngood,x,y,z\n")
    result = trained.works("predict", "new.csv", "-o", "out.csv")
    assert written(trained.folder / "out.csv")[0][4:] == ["prediction_2", "probability_3"]
    assert "read 'prediction_2' for 'prediction' and 'probability_3' for 'probability'" in result.err


def test_columns_are_as_they_are_in_the_file(trained):
    trained.write("de.csv", 'Nr;text;Betrag;;\n1;good film;12,50;;\n2;bad film;"1,5";;\n')
    trained.works("predict", "de.csv", "-o", "out.csv")
    rows = written(trained.folder / "out.csv")
    assert rows[0] == ["Nr", "text", "Betrag", "", "", "prediction", "probability"]
    assert [row[:5] for row in rows[1:]] == [["1", "good film", "12,50", "", ""], ["2", "bad film", "1,5", "", ""]]
    trained.write("index.csv", ",text\n0,good film\n1,bad film\n")
    trained.works("predict", "index.csv", "-o", "index-out.csv")
    assert written(trained.folder / "index-out.csv")[0] == ["", "text", "prediction", "probability"]
    trained.works("predict", "index.csv", "-o", "index-out.jsonl")
    assert json.loads((trained.folder / "index-out.jsonl").read_text().split("\n")[0])["column 1"] == "0"
    trained.write("lines.txt", "good film\n\nbad film\n")
    trained.works("predict", "lines.txt", "-o", "lines.csv")
    assert [row[:2] for row in written(trained.folder / "lines.csv")] == [
        ["text", "prediction"],
        ["good film", "pos"],
        ["", ""],
        ["bad film", "neg"],
    ]
    trained.works("predict", "good film", "-o", "text.csv")
    assert [row[:2] for row in written(trained.folder / "text.csv")] == [["text", "prediction"], ["good film", "pos"]]
    trained.works("predict", "-", "-o", "pipe.csv", stdin=b"good film\n")
    assert written(trained.folder / "pipe.csv")[1][:2] == ["good film", "pos"]


def test_several_files_are_one_with_a_column_of_their_names(trained):
    trained.write("a.csv", "id,text\n1,good film\n")
    trained.write("b.csv", "text,id\nbad film,2\n")
    trained.works("predict", "a.csv", "b.csv", "-o", "out.csv")
    assert [row[:4] for row in written(trained.folder / "out.csv")] == [
        ["id", "text", "file", "prediction"],
        ["1", "good film", "a.csv", "pos"],
        ["2", "bad film", "b.csv", "neg"],
    ]
    trained.write("c.csv", "text,other\nbad film,2\n")
    trained.refuses(3, "c.csv has the columns text, other, and not those", "predict", "a.csv", "c.csv", "-o", "x.csv")
    (trained.folder / "files").mkdir()
    trained.refuses(2, "files is a folder", "predict", "files", "-o", "x.csv")


def test_types_of_parquet_are_those_of_all_values(trained):
    lines = [
        {"n": n if n < 2_500 else n / 2, "text": "good", "ok": n > 3, "tags": ["a"] * (n % 3)} for n in range(3_000)
    ]
    trained.write("new.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    trained.works("predict", "new.jsonl", "-o", "out.parquet")
    read = pyarrow.parquet.read_table("out.parquet")
    assert read.schema.types[:4] == [pa.float64(), pa.string(), pa.bool_(), pa.list_(pa.field("element", pa.string()))]
    assert [dict(list(row.items())[:4]) for row in read.to_pylist()] == lines
    trained.works("predict", "out.parquet", "-o", "again.parquet", "--force")
    again = pyarrow.parquet.read_table("again.parquet")
    assert again.select(["n", "text", "tags"]).to_pylist() == read.select(["n", "text", "tags"]).to_pylist()


def test_what_cannot_be_written_is_refused_before_anything_is_predicted(new):
    new.write("out.csv", "mine")
    new.refuses(2, ["out.csv exists already", "--force"], "predict", "new.csv", "-o", "out.csv")
    new.refuses(2, "new.csv is also the input", "predict", "new.csv", "-o", "new.csv", "--force")
    new.refuses(2, "ends in .csv or .tsv or .jsonl or .parquet", "predict", "new.csv", "-o", "out.xls")
    new.refuses(5, "cannot be written", "predict", "new.csv", "-o", "gone/out.csv")
    new.works("predict", "new.csv", "-o", "out.csv", "--force")
    assert written(new.folder / "out.csv")[0][0] == "id"


def test_formulas_are_texts_in_a_file_for_spreadsheets(new):
    result = new.works("predict", "new.csv", "-o", "out.csv", "--spreadsheet-safe")
    assert written(new.folder / "out.csv")[2][2] == "'=1+1"
    assert "a ' stands before 1 cell that a spreadsheet would take for a formula" in result.err
    new.refuses(2, "--spreadsheet-safe is for", "predict", "new.csv", "-o", "out.jsonl", "--spreadsheet-safe")


def test_in_python(new):
    found = rnncli.predict(Path("new.csv"), output="out.csv", probabilities=True, top=1, vectors="out.npy")
    assert [p.label for p in found] == [row[3] for row in written(new.folder / "out.csv")[1:]]
    assert np.load("out.npy").shape == (4, 8)
    with pytest.raises(UsageError, match="exists already"):
        rnncli.predict(Path("new.csv"), output="out.csv")
    rnncli.predict(["good", "bad film"], output=Path("texts.csv"))
    assert [row[:2] for row in written(new.folder / "texts.csv")[1:]] == [["good", "pos"], ["bad film", "neg"]]


def test_vectors_are_what_the_last_layer_reads(new):
    model = rnncli.load()
    new.write("new.csv", "id,text\n7,good film\n8,\n9\n10,very bad so cold\n")
    result = new.works("predict", "new.csv", "--vectors", "out.npy")
    vectors = np.load(new.folder / "out.npy")
    assert (vectors.dtype, vectors.shape) == (np.float32, (4, model.vector_size))
    assert np.isnan(vectors[1:3]).all()
    assert "2 vectors are NaN" in result.err
    assert result.out == ""
    output = model.params["output"]
    logits = vectors[[0, 3]] @ output["weight"] + output["bias"]
    assert [p.probabilities["pos"] for p in model.predict(["good film", "very bad so cold"])] == pytest.approx(
        1 / (1 + np.exp(-logits[:, 0])), rel=1e-6
    )
    new.works("predict", "new.csv", "--vectors", "out.csv")
    header, *rows = written(new.folder / "out.csv")
    assert header == ["line", *(f"v{k}" for k in range(model.vector_size))]
    assert [row[0] for row in rows] == ["2", "3", "4", "5"]
    assert set(rows[1][1:]) == {""}
    assert [[np.float32(x) for x in row[1:]] for row in (rows[0], rows[3])] == vectors[[0, 3]].tolist()


def test_the_columns_asked_for_are_the_same_in_a_pipe_and_on_a_terminal(trained):
    (p,) = rnncli.predict(["good film zzz"])
    probabilities = {label: f"{probability:.4f}" for label, probability in p.probabilities.items()}
    row = trained.works("predict", "good film zzz", "--probabilities", "--top", 1).rows
    expected = [
        p.label,
        probabilities["pos"],
        probabilities["neg"],
        probabilities["pos"],
        p.label,
        probabilities["pos"],
    ]
    assert row == [[*expected, "zzz", "good film zzz"]]
    document = trained.works("predict", "good film zzz", "--top", 2, "--json").json
    assert [one["label"] for one in document["top"]] == ["pos", "neg"]
    assert document["probabilities"] == p.probabilities
    trained.at_terminal(200)
    lines = trained.works("predict", "good film zzz", "--probabilities", "--top", 1).out.split("\n")
    assert lines[2].split() == [*expected, "zzz", "good", "film", "zzz"]
    trained.write("new.txt", "good film zzz\n")
    line = trained.works("predict", "new.txt", "--probabilities", "--top", 1).out
    assert line.split() == [*expected, "zzz", "good", "film", "zzz"]


def test_a_threshold_decides_between_two_labels(trained):
    texts = ["good film", "bad film", "so warm and cold", ""]
    probabilities = [p.probabilities.get("pos") for p in rnncli.predict(texts)]
    for threshold in (0, sorted(probabilities[:3])[1], 1):
        rows = trained.works("predict", *texts, "--threshold", threshold).rows
        chosen = ["(empty)" if p is None else "pos" if p >= threshold else "neg" for p in probabilities]
        assert [row[0] for row in rows] == chosen
        given = [p if label == "pos" else 1 - p for label, p in zip(chosen[:3], probabilities[:3], strict=True)]
        assert [float(row[1]) for row in rows[:3]] == pytest.approx(given, abs=1e-4)
    trained.refuses(2, "not in the range 0.0<=x<=1.0", "predict", "good", "--threshold", 1.5)


def test_a_probability_below_the_least_one_is_unsure(trained):
    texts = ["good film", "zzz yyy", ""]
    found = rnncli.predict(texts)
    least = (found[0].probability + found[1].probability) / 2
    shown = ["pos", "(unsure)", "(empty)"] if found[0].probability > least else ["(unsure)", found[1].label, "(empty)"]
    rows = trained.works("predict", *texts, "--min-probability", least).rows
    assert [row[0] for row in rows] == shown
    assert [row[1] for row in rows[:2]] == [f"{p.probability:.4f}" for p in found[:2]]
    trained.works("predict", *texts, "--min-probability", least, "-o", "out.csv")
    assert [row[1] for row in written(trained.folder / "out.csv")[1:]] == [*shown[:2], ""]


def test_which_model_answered_is_said_where_none_was_named(trained, monkeypatch):
    said = "answered by runs/reviews-1, trained on reviews.csv\n"
    assert trained.works("predict", "good").err == said
    assert trained.works("predict", "good", "--json").err == said
    assert trained.works("predict", "good", "-q").err == ""
    assert trained.works("predict", "good", "--model", "reviews-1").err == ""
    monkeypatch.setenv("RNNCLI_MODEL", "reviews-1")
    assert trained.works("predict", "good").err == ""


def test_a_text_that_is_also_the_name_of_a_file_is_said(trained):
    trained.write("good", "bad film\n")
    said = ["good: the name does not say the format; it is the name of a file here", "echo good | rnncli … -"]
    for command in (["predict"], ["tokenize"], ["inspect", "--timesteps"]):
        trained.refuses(3, said, *command, "good")
        assert "bad" in trained.works(*command, "good", "--format", "text").out
    result = trained.works("predict", "good", "so")
    assert [row[3] for row in result.rows] == ["good", "so"]
    assert "'good' is taken as a text; the file of this name is read with --format" in result.err


LABELLED = [("good and warm", ["fun", "heat"]), ("good", ["fun"]), ("warm", ["heat"]), ("bad", ["dull"])]


def test_several_labels_a_text_stand_in_one_cell(cli):
    rows = [json.dumps({"text": text, "labels": labels}) for text, labels in LABELLED * 6]
    cli.write("topics.jsonl", "\n".join(rows) + "\n")
    cli.works("train", "topics.jsonl", "--task", "multilabel", "--epochs", 40, "--hidden", 6, "--lr", 0.1, "-q")
    cli.write("new.csv", "id,text\n1,good and warm\n2,\n3,bad\n")
    cli.works("predict", "new.csv", "-o", "out.csv", "--probabilities")
    header, *found = written(cli.folder / "out.csv")
    assert header == [
        *("id", "text", "prediction", "probability"),
        *("probability_dull", "probability_fun", "probability_heat", "problem"),
    ]
    assert [row[2] for row in found] == ["fun|heat", "", "dull"]
    assert found[0][3] == f"{found[0][5]}|{found[0][6]}"
    cli.works("predict", "new.csv", "-o", "out.jsonl")
    documents = [json.loads(line) for line in (cli.folder / "out.jsonl").read_text().splitlines()]
    assert [one["prediction"] for one in documents] == [["fun", "heat"], None, ["dull"]]
    assert cli.works("predict", "good", "--threshold", 0).rows[0][0] == "dull, fun, heat"
    cli.refuses(
        2, "--min-probability is not for a model of the task multilabel", "predict", "a", "--min-probability", 1
    )


def test_tags_stand_in_one_cell(cli):
    cli.write("tags.conll", "Ada\tB-PER\ncame\tO\n\nso\tO\n\n" * 8)
    cli.works("train", "tags.conll", "--epochs", 3, "-q")
    cli.write("new.csv", "id,text\n1,Ada came\n2,\n")
    cli.works("predict", "new.csv", "-o", "out.csv")
    header, first, second = written(cli.folder / "out.csv")
    assert header == ["id", "text", "prediction", "probability", "words", "problem"]
    assert (len(first[2].split()), len(first[3].split()), first[4]) == (2, 2, "Ada came")
    assert second == ["2", "", "", "", "", "the sentence has no words"]
    cli.works("predict", "tags.conll", "-o", "out.jsonl")
    (document, *_) = map(json.loads, (cli.folder / "out.jsonl").read_text().splitlines())
    assert document["tokens"] == document["words"] == ["Ada", "came"]
    assert len(document["prediction"]) == 2


SERIES = "id,time,x\n" + "".join(
    f"{name},{t},{t % 3 if name < 'e' else 1.5}\n" for t in range(6) for name in "abcdefgh"
)
KINDS = dict(zip("abcdefgh", ["saw"] * 4 + ["flat"] * 4, strict=True))


def test_series_in_long_form_have_a_row_each(cli):
    lines = SERIES.splitlines()
    cli.write("train.csv", "\n".join([f"{lines[0]},kind", *(f"{one},{KINDS[one[0]]}" for one in lines[1:])]) + "\n")
    cli.works("train", "train.csv", "--epochs", 3, "--validation", 0, "-q")
    cli.write("new.csv", SERIES.replace("c,3,0", "c,3,none"))
    result = cli.works("predict", "new.csv", "-o", "out.csv", "--vectors", "vectors.csv")
    header, *rows = written(cli.folder / "out.csv")
    assert header == ["id", "prediction", "probability", "problem"]
    assert [row[0] for row in rows] == list("abdefghc")
    assert [bool(row[1]) for row in rows] == [True] * 7 + [False]
    assert rows[-1][3] == "the value of 'x' is missing"
    assert "1 row has no prediction" in result.err
    assert [row[0] for row in written(cli.folder / "vectors.csv")] == ["id", *"abdefghc"]


def test_forecasts_have_a_row_a_step_and_rows_in_time_keep_theirs(cli):
    lines = "".join(f"{2000 + n},{n % 4},{(n + 1) % 4}\n" for n in range(60))
    cli.write("series.csv", f"year,x,y\n{lines}")
    cli.works("train", "series.csv", "--task", "forecast", "--label", "x", "--horizon", 2, "--epochs", 2, "-q")
    cli.works("predict", "series.csv", "-o", "out.csv")
    header, *rows = written(cli.folder / "out.csv")
    assert header == ["step", "time", "prediction"]
    assert [row[:2] for row in rows] == [["1", "2060"], ["2", "2061"]]
    assert float(rows[0][2]) == pytest.approx(float(rows[0][2]))
    cli.works("train", "series.csv", "--task", "regress", "--label", "y", "--time", "year", "--epochs", 2, "-q")
    shuffled = f"year,x,y\n{''.join(reversed(lines.splitlines(keepends=True)))}"
    cli.write("shuffled.csv", shuffled)
    cli.works("predict", "shuffled.csv", "-o", "rows.csv")
    rows = written(cli.folder / "rows.csv")
    assert [row[:3] for row in rows] == [line.split(",") for line in shuffled.splitlines()]
    assert rows[0][3:] == ["prediction"]
    assert all(map(float, (row[3] for row in rows[1:])))
