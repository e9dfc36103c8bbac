"""Data that cannot be used is refused in one sentence, with its place, and nothing is written."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import os

import pytest
from helpers import time_limit

from rnncli.data.formats.registry import FORMATS
from rnncli.model_file import encode, load

EVERY = ("train", "evaluate", "predict", "tokenize")
LABELLED = ("train", "evaluate")
TRAIN = ("train",)
OK = "good film,pos\nbad film,neg\n"
DEEP = "[" * 100_000
CASES = {
    "1 nothing in it": ("a.csv", b"", [], "a.csv: no records", EVERY),
    "1 a header alone": ("a.csv", b"text,label\n", [], "a.csv: no records", EVERY),
    "1 blank lines": ("a.csv", b"\n\r\n\n", [], "a.csv: no records", EVERY),
    "1 blank JSON lines": ("a.jsonl", b"\n  \n\n", [], "a.jsonl: no records", EVERY),
    "1 no text at all": ("a.txt", b"", [], "a.txt: no records", ("predict", "tokenize")),
    "2 no such text column": (
        "a.csv",
        b"text,label\n" + OK.encode(),
        ["--text", "txt"],
        ["--text: there is no column 'txt'; did you mean 'text'?", "The columns are 'text', 'label'."],
        EVERY,
    ),
    "2 no such label column": (
        "a.csv",
        b"text,label\n" + OK.encode(),
        ["--label", "nope"],
        ["--label: there is no column 'nope'", "The columns are 'text', 'label'."],
        LABELLED,
    ),
    "3 a name twice": ("a.csv", b"text,label,text\na,b,c\n", [], "columns 1 and 3 have the same name, 'text'", EVERY),
    "4 a short row": ("a.csv", "text,label\ngood,pos\nbad\n", [], "a.csv:3: 1 value, but the header has 2", EVERY),
    "4 a long row": ("a.csv", "text,label\nbad,very,neg\n", [], "a.csv:2: 3 values, but the header has 2", EVERY),
    "6 UTF-16": (
        "a.csv",
        ("text,label\n" + OK).encode("utf-16"),
        [],
        "a.csv: looks like UTF-16; use --encoding utf-16",
        EVERY,
    ),
    "8 NUL": ("a.csv", b"text,label\ngood,pos\nb\0d,neg\n", [], "a.csv:3: a NUL character", EVERY),
    "9 an open quote": (
        "a.csv",
        'text,label\n"good\nfilm",pos\n"bad,neg\nmore,pos\n',
        [],
        "a.csv:4: a quote opens here and is never closed",
        EVERY,
    ),
    "10 text after a quote": ("a.csv", 'text,label\n"a"b,pos\n', [], "a.csv:2: text after a closing quote", EVERY),
    "11 an endless value": (
        "a.csv",
        "text,label\n" + "w" * 10_000_001 + ",pos\n",
        [],
        "a.csv:2: 10,000,001 characters in 'text'; the most is 10,000,000",
        ("train",),
    ),
    "14 two marks": (
        "a.csv",
        "so good;bad|pos\nso bad;cold|neg\n",
        [],
        "a.csv:1: cannot tell what separates the columns, semicolons or vertical bars",
        EVERY,
    ),
    "16 broken line 17": (
        "a.jsonl",
        '{"text": "good", "label": "pos"}\n' * 16 + '{"text": \n',
        [],
        "a.jsonl:17: broken JSON",
        EVERY,
    ),
    "19 deep": ("a.jsonl", f'{{"text": {DEEP}\n', [], "a.jsonl:1: ", EVERY),
    "19 deep and whole": (
        "a.jsonl",
        f'{{"text": {"[" * 500 + "]" * 500}}}\n',
        [],
        "a.jsonl:1: brackets are nested more than 64 deep",
        EVERY,
    ),
    "23 a null label": ("a.jsonl", '{"text": "a", "label": null}\n', [], "the value of 'label' is null", LABELLED),
    "23 an empty label": ("a.csv", "text,label\ngood,pos\nbad, \n", [], "a.csv:3: the label is empty", LABELLED),
    "26 an empty text": ("a.csv", 'text,label\n" ",pos\nbad,neg\n', [], "a.csv:2: the text is empty", LABELLED),
    "26 no word": (
        "a.csv",
        "text,label\nso good,pos\nso bad,neg\n<br>,neg\n",
        ["--validation", "0"],
        "a.csv:4: the text has no words",
        ("train",),
    ),
    "26 no word anywhere": (
        "a.csv",
        "text,x\n,1\n ,2\n",
        ["--text", "text"],
        "a.csv: the texts have no tokens",
        ("tokenize",),
    ),
    "27 one class": (
        "a.csv",
        "text,label\ngood film,pos\nwarm film,pos\n",
        [],
        "a classifier needs at least 2 labels, and every record here is 'pos'",
        ("train",),
    ),
    "27 one record": ("a.csv", "text,label\ngood film,pos\n", [], "needs at least 2 records", ("train",)),
    "27 nothing to validate": (
        "a.csv",
        "text,label\n" + OK,
        [],
        ["2 records are too few to set 10% aside for validation; some label needs at least 5", "--validation 0"],
        ("train",),
    ),
    "35 gzip": ("a.csv", gzip.compress(OK.encode()), [], "a.csv: looks like gzip, not text", EVERY),
    "35 zip": ("a.csv", b"PK\x03\x04" + b"\0" * 40, [], "a.csv: looks like a zip archive", EVERY),
    "35 broken gzip": ("a.csv.gz", gzip.compress(OK.encode())[:-9], [], "a.csv.gz: the gzip data is cut off", EVERY),
    "an unlabelled text file, of which a text is learned": ("a.txt", "good\nbad\n", [], "too short to learn", TRAIN),
    "an unlabelled text file, for a classifier": (
        *("a.txt", "good\nbad\n", [], "the only column is 'text', but a text and a label are needed"),
        ("evaluate",),
    ),
    "no suffix": (
        "data",
        OK,
        [],
        ["data: the name does not say the format", f"--format: {', '.join(FORMATS)}"],
        EVERY,
    ),
    "ids as labels": (
        "a.csv",
        "text,label\n" + "".join(f"good film {n},id{n}\n" for n in range(60)),
        [],
        "'label' holds 60 different values in 60 records, too many for the names of classes",
        ("train",),
    ),
}


def command_line(command: str, name: str, options: list[str]) -> list[str]:
    if command == "evaluate":
        return ["evaluate", "latest", name, *options]
    return [command, name, *options]


# What is wrong with one record alone, which can be left out.
ALONE = {
    *("4 a short row", "4 a long row", "11 an endless value", "16 broken line 17", "19 deep", "19 deep and whole"),
    *("23 a null label", "23 an empty label", "26 an empty text", "26 no word"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_file_that_cannot_be_used_is_refused_by_each_command(trained, case):
    """And where a record could be left out, by training and scoring, it is said how."""
    name, content, options, says, commands = CASES[case]
    trained.write(name, content)
    for command in commands:
        words = command_line(command, name, options)
        refused = trained.refuses(3, says, *words).err
        one = refused.endswith("\n  leave such records out with --skip-bad\n")
        assert one == (case in ALONE and command in LABELLED)
        if one:
            assert "--skip-bad" not in trained(*words, "--skip-bad").err


def test_one_bad_byte_far_down_is_named_with_its_line(trained):
    lines = [b"text,label"] + [b"good film,pos", b"bad film,neg"] * 2400
    lines[4710] = b"b\xe4d film,neg"
    trained.write("a.csv", b"\n".join(lines) + b"\n")
    says = "a.csv:4711: byte 0xe4 is not valid UTF-8; if the file is in another encoding, say --encoding latin-1"
    for command in ("train", "evaluate", "tokenize"):
        trained.refuses(3, says, *command_line(command, "a.csv", []))
    predicted = trained("predict", "a.csv")
    assert predicted.code == 3
    assert says in predicted.err
    texts = [row[3] for row in predicted.rows]
    assert texts == [line.split(b",")[0].decode() for line in lines[1 : 1 + len(texts)]]
    assert trained.works("tokenize", "a.csv", "--encoding", "latin-1").rows[0] == ["rows", "4,800"]


def test_what_training_refuses_is_answered_by_predict(trained):
    trained.write("a.csv", "text,label\n ,pos\ngood film,\n<br>,x\n")
    rows = trained.works("predict", "a.csv").rows
    assert [row[0] for row in rows] == ["(empty)", "pos", "(empty)"]
    assert rows[0][1:] == ["-", "-", " "]
    assert rows[2][1:] == ["-", "-", "<br>"]
    assert trained.works("tokenize", "a.csv").rows[0] == ["rows", "3 (2 empty)"]


def test_bad_records_are_left_out_and_counted_when_asked(trained, tiny, reviews):
    trained.write("a.csv", reviews + "one\nx,y,z\n ,pos\n")
    said = "3 bad records were left out, the first: a.csv:14: 1 value, but the header has 2 columns"
    result = trained.works("train", "a.csv", "--skip-bad", *tiny)
    assert f"warning  {said}" in result.err
    assert "rows  12: 8 to train, 4 to validate" in result.err
    assert said in trained.works("evaluate", "latest", "a.csv", "--skip-bad").err
    trained.write("a.csv", reviews + "one\n")
    said = "1 bad record was left out: a.csv:14: 1 value, but the header has 2 columns"
    assert f"warning  {said}" in trained.works("train", "a.csv", "--skip-bad", *tiny).err
    assert said in trained.works("evaluate", "latest", "a.csv", "--skip-bad").err


def model_bytes(cli, data: bytes, name: str, *options: object) -> bytes:
    """The model's file without the digest of the data, which is that of the very bytes."""
    cli.write(name, data)
    cli.works("train", name, "--name", "r", "--runs", "elsewhere", *options)
    manifest, tensors = load(cli.folder / "elsewhere" / "r" / "model.safetensors")
    assert manifest["record"].pop("digest") == hashlib.sha256(data).hexdigest()
    content = encode(manifest, tensors)
    for path in (cli.folder / "elsewhere" / "r").iterdir():
        path.unlink()
    (cli.folder / "elsewhere" / "r").rmdir()
    return content


def test_line_ends_and_a_byte_order_mark_change_nothing(cli, tiny, reviews):
    plain = model_bytes(cli, reviews.encode(), "a.csv", *tiny)
    variants = [
        b"\xef\xbb\xbf" + reviews.encode(),
        reviews.replace("\n", "\r\n").encode(),
        reviews.replace("\n", "\r").encode(),
        reviews.rstrip("\n").encode(),
        reviews.replace("\n", "\r\n", 4).encode(),
    ]
    for variant in variants:
        assert model_bytes(cli, variant, "a.csv", *tiny) == plain
    assert model_bytes(cli, reviews.encode("utf-16"), "a.csv", "--encoding", "utf-16", *tiny) == plain


def test_a_field_beyond_the_csv_modules_own_limit_is_read(cli, tiny, reviews):
    limit = csv.field_size_limit()
    cli.write("a.csv", reviews + "w" * 131_073 + " good,pos\n")
    assert "lengths  2 to 4 words" in cli.works("train", "a.csv", *tiny).err
    assert csv.field_size_limit() == limit


def test_a_line_end_in_quotes_is_one_record_that_starts_on_its_first_line(trained):
    trained.write("a.csv", 'text,label\n"good\nfun",odd\nbad noise,odd\n')
    result = trained.works("evaluate", "latest", "a.csv", "--json").json
    assert sorted((m["line"], m["text"]) for m in result["mistakes"]) == [(2, "good\nfun"), (4, "bad noise")]
    assert [row[3] for row in trained.works("predict", "a.csv").rows] == ["good\\nfun", "bad noise"]


def test_a_quote_in_tsv_is_itself(trained):
    trained.write("a.tsv", 'text\tlabel\na "good film\tpos\n')
    assert [row[3] for row in trained.works("predict", "a.tsv").rows] == ['a "good film']


def test_blank_json_lines_are_passed_over_and_unicode_line_ends_are_none(trained):
    trained.write("a.jsonl", '{"text": "good\u2028film\u0085x", "label": 1}\n\n{"text": "bad", "label": true}\n')
    predicted = trained.works("predict", "a.jsonl", "--json").json_lines
    assert [entry["text"] for entry in predicted] == ["good\u2028film\u0085x", "bad"]


def test_labels_are_compared_as_text(cli, tiny):
    cli.write("a.jsonl", '{"text": "good film", "label": 1}\n{"text": "bad film", "label": "1"}\n' * 2)
    cli.refuses(3, "every record here is '1'", "train", "a.jsonl", *tiny)
    cli.write("b.jsonl", '{"text": "good film", "label": true}\n{"text": "bad film", "label": "true "}\n' * 6)
    assert cli.works("train", "b.jsonl", "--json", *tiny).json["report"]["labels"] == {"true": 6, "true ": 6}


def test_labels_that_differ_in_white_space_or_case_are_two_and_said_so(cli, tiny, reviews):
    cli.write("a.csv", reviews + "good fun,pos \ngood thing,pos \nwarm,POS\nwarmer,POS\n")
    err = cli.works("train", "a.csv", *tiny).err
    assert "warning  labels 'POS' and 'pos' are counted as two" in err
    assert "warning  labels 'POS' and 'pos ' are counted as two" in err


def test_labels_that_were_never_trained_are_counted_and_named(trained, reviews):
    trained.write("a.csv", reviews + "so so,mixed\nboring,mixed\nodd,other\n")
    result = trained.works("evaluate", "latest", "a.csv")
    assert ["never trained", "label 'mixed', 2 rows: always counted wrong"] in result.rows
    assert ["never trained", "label 'other', 1 row: always counted wrong"] in result.rows
    document = trained.works("evaluate", "latest", "a.csv", "--json").json
    assert document["unseen"] == {"mixed": 2, "other": 1}
    assert document["scores"]["rows"] == 15
    assert [entry["label"] for entry in document["scores"]["labels"]] == ["neg", "pos", "mixed", "other"]
    assert [row[2:] for row in document["scores"]["confusion"]] == [[0, 0]] * 4


def test_of_a_text_of_a_million_characters_the_middle_is_not_read(cli, tiny, reviews):
    cli.write("a.csv", reviews + "good bad " * 111_112 + ",pos\n")
    err = cli.works("train", "a.csv", "--max-length", "8", *tiny).err
    assert "2 to 222,224 words, median 3; 1 longer text is read without its middle (--max-length)" in err
    predicted = cli.works("predict", "a.csv", "--json").json_lines
    assert (predicted[-1]["tokens"], predicted[-1]["cut"]) == (222_224, 222_216)
    assert predicted[0]["cut"] == 0


def test_two_ways_to_write_an_accent_are_one_token_unless_switched_off(cli, tiny):
    cli.write("a.csv", "text,label\n" + "caf\u00e9 yes,pos\ncafe\u0301 no,neg\n" * 3)
    cli.works("train", "a.csv", *tiny)
    for text in ("caf\u00e9", "cafe\u0301"):
        document = cli.works("tokenize", text, "--model", "latest", "--json").json
        assert (document["tokens"], document["known"]) == (["caf\u00e9"], [True])
    document = cli.works("train", "a.csv", "--no-normalize", "--json", *tiny).json
    assert document["report"]["vocabulary"] == 4  # café in both writings, yes, no


def test_characters_of_any_script_come_back_from_the_character_tokenizer(cli):
    for text in ("\U0001f469\u200d\U0001f680", "\u1e8b\u0323", "影評", "שלום", "1\ufe0f\u20e3"):
        document = cli.works("tokenize", text, "--tokens", "char", "--no-lowercase", "--json").json
        assert "".join(document["tokens"]) == text
        assert document["shape"]["timesteps"] == len(text)


def test_an_empty_pipe_has_no_records(trained):
    for command in EVERY:
        trained.refuses(3, "<stdin>: no records", *command_line(command, "-", []), stdin=b"")


def test_a_terminal_as_stdin_is_not_waited_for(trained):
    master, slave = os.openpty()
    with open(slave, closefd=True) as trained.stdin:
        for command in EVERY:
            with time_limit(60):
                trained.refuses(2, "stdin is a terminal: pipe the", *command_line(command, "-", []))
    os.close(master)


def test_without_stdin_there_is_nothing_to_read(trained):
    for command in EVERY:
        trained.refuses(5, "<stdin>: standard input is closed", *command_line(command, "-", []))


def test_a_path_that_cannot_be_read(trained):
    os.mkdir("folder.csv")
    for command in EVERY:
        says = ["reviws.csv: there is no such file"]
        if command in LABELLED:
            says.append("; did you mean 'reviews.csv'?")
        trained.refuses(5, says, *command_line(command, "reviws.csv", []))
        trained.refuses(3, "folder.csv: there are no files in this folder", *command_line(command, "folder.csv", []))
    for command in LABELLED:
        trained.refuses(5, "reviews.csv/x.csv: cannot be read", *command_line(command, "reviews.csv/x.csv", []))
        trained.refuses(5, "cannot be read", *command_line(command, "w" * 300 + ".csv", []))


def test_what_is_no_regular_file_is_refused_at_once(trained):
    os.mkfifo("pipe.csv")
    for command in EVERY:
        with time_limit(60):
            trained.refuses(5, "/dev/zero: not a regular file", *command_line(command, "/dev/zero", []))
            says = ["pipe.csv: this is a named pipe, not a regular file", "standard input"]
            trained.refuses(5, says, *command_line(command, "pipe.csv", []))


def test_a_pipe_from_the_shell_is_read(trained):
    """``rnncli predict <(cat x.txt) --format text``."""
    read, write = os.pipe()
    os.write(write, b"good\n\nbad\n")
    os.close(write)
    with time_limit(60):
        rows = trained.works("predict", f"/dev/fd/{read}", "--format", "text").rows
    os.close(read)
    assert [row[3] for row in rows] == ["good", "", "bad"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\nb.csv", "a\\nb.csv"),
        ("\x1b[31mred.csv", "\\x1b[31mred.csv"),
        ("[red]x[bold].csv", "[red]x[bold].csv"),
        ("-x.csv", "-x.csv"),
        ("\u202egnp.csv", "\\u202egnp.csv"),
    ],
)
def test_odd_file_names_work_and_are_shown_cleaned(cli, tiny, reviews, name, shown):
    cli.write(name, reviews)
    result = cli.works("train", *tiny, "--", name)
    assert result.err.startswith(f"reading {shown} …\n")
    assert [row[3] for row in cli.works("predict", "--", name).rows][:2] == ["good fun", "bad noise"]
    assert cli.works("tokenize", "--", name).rows[0] == ["rows", "12"]
    assert cli.works("evaluate", "latest", "--json", "--", name).json["scores"]["rows"] == 12
    assert shown in dict(row for row in cli.works("inspect").rows if len(row) == 2)["trained on"]
    card = next((cli.folder / "runs" / "latest").glob("README.md")).read_text()
    assert f"trained on 8 rows of `{shown}`" in card
    cli.write(name, "text,label\nonly\n")
    cli.refuses(3, f"{shown}:2: 1 value", "train", "--", name)


def test_a_file_that_changes_while_it_is_trained_on_is_not_read_again(cli, tiny, reviews, monkeypatch):
    undisturbed = model_bytes(cli, reviews.encode(), "a.csv", *tiny)
    monkeypatch.setattr(
        "rnncli.render.progress.TrainingDisplay.epoch", lambda display, event: cli.write("a.csv", "text,label\n")
    )
    assert model_bytes(cli, reviews.encode(), "a.csv", *tiny) == undisturbed
    assert (cli.folder / "a.csv").read_text() == "text,label\n"


def test_unknown_formats_and_encodings_are_named_with_the_closest(trained):
    for command in EVERY:
        trained.refuses(
            2, "unknown format 'cvs'; did you mean 'csv'?", *command_line(command, "reviews.csv", ["--format", "cvs"])
        )
        trained.refuses(
            2,
            "'utf8x' is not an encoding that rnncli reads; did you mean 'utf-8'?",
            *command_line(command, "reviews.csv", ["--encoding", "utf8x"]),
        )
    trained.refuses(
        2,
        "--text and --label both name the column 'label'",
        "train",
        "reviews.csv",
        "--text",
        "label",
        "--label",
        "label",
    )


def test_data_from_a_pipe_is_csv_to_train_and_lines_to_predict(cli, tiny, reviews):
    assert "reading <stdin> …" in cli.works("train", "-", *tiny, stdin=reviews.encode()).err
    assert os.readlink("runs/latest") == "stdin-1"
    rows = cli.works("predict", "-", stdin=reviews.encode()).rows
    assert [row[3] for row in rows[:2]] == ["text,label", "good fun,pos"]
    rows = cli.works("predict", "-", "--text", "text", stdin=reviews.encode()).rows
    assert [row[3] for row in rows[:2]] == ["good fun", "bad noise"]
    gz = io.BytesIO(gzip.compress(reviews.encode())).getvalue()
    cli.write("b.csv.gz", gz)
    assert cli.works("evaluate", "latest", "b.csv.gz", "--json").json["scores"]["rows"] == 12
