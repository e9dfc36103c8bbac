"""Every command that reads data doubts it by the same rules, and what the user says settles it."""

from __future__ import annotations

import pytest

ALL = ("train", "evaluate", "predict", "tokenize", "doctor", "fires")
LABELLED = ("train", "evaluate", "doctor")
ROWS = "so good and warm,pos\nso bad and cold,neg\n" * 6
SPLIT = "text,label,split\n" + "so good,pos,train\nso bad,neg,train\nvery good,pos,test\nvery bad,neg,test\n" * 3
NUMBERS = "x,label\n" + "0.1 0.2 -0.45,pos\n0.3 -0.1 2.5,neg\n" * 6
TWO = "title,text,label\n" + "".join(f"so good {n},a film {n} that is good,{'pn'[n % 2]}\n" for n in range(12))
OBJECTS = "".join(f'{{"text": "so good {at}", "label": [{{"name": "X"}}]}}\n' for at in range(20))

CASES = {
    "a header or not": (
        "a.csv",
        "walk,walked\nrun,ran\nsee,saw\n",
        [
            "a.csv:1: cannot tell whether the first line ('walk', 'walked') is a header",
            "a.csv --header",
            "a.csv --no-header",
        ],
        ALL,
    ),
    "tabs in a text": (
        "a.txt",
        ROWS.replace(",", "\t"),
        ["a.txt:1: each line has 1 tab"],
        ("train", "predict", "tokenize"),
    ),
    "rows of numbers": ("a.csv", NUMBERS, ["a.csv:2: 'x' holds rows of numbers (0.1 0.2 -0.45)"], ALL[1:]),
    # A model that was trained on `text` reads that column.
    "two texts": ("a.csv", TWO, ["two columns hold texts", "'title' (so good 0)"], ("train", "tokenize")),
    "a split": ("a.csv", SPLIT, ["a.csv: 'split' divides the rows into parts (test, train)"], ("evaluate", "doctor")),
    "objects": ("a.jsonl", OBJECTS, ['a.jsonl:1: \'label\' holds lists ([{"name":"X"}])'], LABELLED),
    "two marks": ("a.csv", "so good;bad|pos\nso bad;cold|neg\n", ["semicolons or vertical bars", "pipe"], ALL),
}


def command_line(command: str, name: str) -> list[str]:
    match command:
        case "evaluate":
            return ["evaluate", "latest", name]
        case "doctor":
            return ["inspect", "--doctor", name]
        case "fires":
            return ["inspect", "--fires", "all", "--data", name]
    return [command, name]


@pytest.mark.parametrize("case", CASES)
def test_each_command_refuses_what_is_likely_something_else(trained, case):
    name, content, says, commands = CASES[case]
    trained.write(name, content)
    for command in commands:
        trained.refuses(3, says, *command_line(command, name))


def test_a_pipe_is_doubted_as_a_file_is(trained):
    says = ["<stdin>:1: cannot tell whether the first line ('walk', 'walked')", "--no-header"]
    pairs = b"walk,walked\nrun,ran\nsee,saw\n"
    trained.refuses(3, says, "train", "-", stdin=pairs)
    trained.refuses(3, says, "predict", "-", "--format", "csv", stdin=pairs)


def test_there_is_an_answer_for_each_row_of_a_table_with_a_header(trained):
    trained.write("a.csv", 'text\nso good\n\n""\nso bad\n')
    assert [row[-1] for row in trained.works("predict", "a.csv").rows] == ["so good", "", "", "so bad"]
    trained.write("b.csv", "my parcel is late,shipping\nthe other one,login\n")
    assert [row[-1] for row in trained.works("predict", "b.csv").rows] == ["my parcel is late", "the other one"]


def test_what_the_user_names_is_not_doubted(trained, tiny):
    trained.write("a.csv", TWO)
    said = trained.works("train", "a.csv", "--text", "text", "--label", "label", *tiny).err
    assert "text: text, label: label\n" in said
    assert len(trained.works("predict", "a.csv", "--text", "title").rows) == 12
    trained.write("b.csv", NUMBERS)
    as_words = ("--task", "classify", "--text", "x", "--label", "label")
    trained.refuses(3, "b.csv:2: 'x' holds rows of numbers (0.1 0.2 -0.45)", "train", "b.csv", *as_words[2:], *tiny)
    assert "text: x, label: label\n" in trained.works("train", "b.csv", *as_words, "--name", "b", *tiny).err
    assert trained.works("evaluate", "b", "b.csv", "--text", "x").rows[0] == ["rows", "12"]
    trained.write("c.txt", ROWS.replace(",", "\t"))
    assert len(trained.works("predict", "c.txt", "--format", "text").rows) == 12
    trained.write("d.csv", "text,label\n" + "good film,0.5\nbad film,1.5\n" * 6)
    decimals = "d.csv:2: 'label' holds decimal numbers (0.5)"
    trained.refuses(3, decimals, "train", "d.csv", *tiny)
    trained.refuses(3, [decimals, "--task classify"], "train", "d.csv", "--label", "label", *tiny)
    trained.refuses(3, decimals, "train", "d.csv", "--task", "classify", *tiny)
    classes = ("--task", "classify", "--label", "label", "--name", "d")
    assert "label: label" in trained.works("train", "d.csv", *classes, *tiny).err
    assert trained.works("evaluate", "d", "d.csv").rows[0] == ["rows", "12"]  # the model knows these labels
    trained.works("inspect", "-m", "d", "--doctor", "d.csv")
    trained.refuses(3, [decimals, "rnncli evaluate -m a-1 d.csv --label COLUMN"], "evaluate", "a-1", "d.csv")


def test_a_word_a_row_that_was_trained_on_is_evaluated(trained, tiny):
    trained.write("a.csv", "word,tag\n" + "Ada,B-PER\nsaw,O\nRome,B-LOC\n" * 8)
    trained.refuses(3, ["each row holds a word and its tag (Ada, B-PER)", "--task classify"], "train", "a.csv", *tiny)
    classes = ("--task", "classify", "--text", "word", "--label", "tag", "--name", "w")
    trained.works("train", "a.csv", *classes, *tiny)
    assert trained.works("evaluate", "w", "a.csv").rows[0] == ["rows", "24"]


def test_a_list_is_no_text_for_a_model_that_reads_texts(trained):
    trained.write("a.jsonl", '{"text": "good film"}\n{"text": ["good", "film"]}\n')
    trained.refuses(3, "a.jsonl:2: 'text' holds a list or an object", "predict", "a.jsonl")
    trained.write("a.jsonl", '{"text": ["good", "film"]}\n' * 3)
    trained.refuses(3, ["a.jsonl:1: 'text' holds lists", "rnncli reads"], "predict", "a.jsonl")
    trained.write("a.csv", 'text\n[1]\n"[""so""]"\ngood film\n')
    assert len(trained.works("predict", "a.csv").rows) == 3


def test_lines_that_begin_documents_are_said_to_be_left_out(trained, tiny):
    trained.write("a.bio", "-DOCSTART- O\n\nso A\nit B\n\n" * 6)
    said = trained.works("train", "a.bio", *tiny).err
    assert "left out: 6 lines that begin a document (-DOCSTART-)" in said
    assert "sentences  6: " in said


def test_a_file_of_one_line_is_not_taken_for_an_empty_one(trained, tiny):
    trained.write("a.csv", '"so good, and warm"\n')
    assert [row[-1] for row in trained.works("predict", "a.csv").rows] == ["so good, and warm"]
    says = ["a.csv: no records: the only line was read as the header ('so good, and warm')", "a.csv --no-header"]
    trained.refuses(3, says, "train", "a.csv", *tiny)
    trained.write("a.csv", "text,label\n")
    trained.refuses(3, "a.csv: no records", "predict", "a.csv")


def test_columns_to_ignore_are_none_of_the_table(trained, tiny):
    trained.write("a.csv", SPLIT)
    assert "rows  12: " in trained.works("train", "a.csv", "--ignore", "split", "--name", "r", *tiny).err
    assert trained.works("evaluate", "r", "a.csv", "--ignore", "split").rows[0] == ["rows", "12"]
    trained.works("inspect", "--doctor", "a.csv", "-m", "r", "--ignore", "split")
    went_on = trained.works("train", "--resume", "r", "--epochs", "3")
    assert "resuming after epoch 2" in went_on.err
    trained.refuses(
        2, "--ignore label is not what the training to resume", "train", "--resume", "r", "--ignore", "label"
    )
    trained.refuses(
        3, ["--ignore: there is no column 'spilt'; did you mean 'split'?"], "train", "a.csv", "--ignore", "spilt"
    )
    trained.refuses(3, "--ignore: all columns are left out", "train", "a.csv", "--ignore", "text,label, split")


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (["train", "a.csv", "--text", "a", "--text", "b"], "--text"),
        (["train", "a.csv", "--label=a", "--label", "a"], "--label"),
        (["train", "a.csv", "--hidden", "3", "--hidden", "4"], "--hidden"),
        (["train", "a.csv", "--bidirectional", "--no-bidirectional"], "--bidirectional"),
        (["predict", "good", "-m", "a", "--model", "b"], "--model"),
        (["predict", "good", "--seed", "1", "--seed", "2"], "--seed"),
        (["tokenize", "good", "--no-lowercase", "--lowercase"], "--lowercase"),
        (["evaluate", "latest", "a.csv", "--mistakes", "1", "--mistakes", "2"], "--mistakes"),
        (["inspect", "--runs", "a", "--runs", "b"], "--runs"),
    ],
)
def test_an_option_of_one_value_is_given_once(cli, line, name):
    cli.refuses(2, f"{name} is given twice, and it takes one value", *line)


def test_a_flag_says_the_same_twice(trained):
    assert trained.works("predict", "good", "--json", "--json").json_lines[0]["text"] == "good"


def test_windows_and_wide_encodings_are_told_by_their_bytes(trained, tiny):
    trained.write("a.csv", b"text,label\nit\x92s good,pos\nit\x92s bad,neg\n")
    trained.refuses(
        3,
        "a.csv:2: byte 0x92 is not valid UTF-8; if the file is in another encoding, say --encoding cp1252",
        "train",
        "a.csv",
    )
    for name in ("latin-1", "iso-8859-1", "iso-8859-15"):
        trained.refuses(
            3,
            ["a.csv:2: byte 0x92 is a control character in", "Say --encoding cp1252."],
            "train",
            "a.csv",
            "--encoding",
            name,
        )
    assert trained.works("predict", "a.csv", "--encoding", "cp1252").rows[0][-1] == "it’s good"
    trained.write("b.csv", b"text,label\nna\xefve \x93so\x94,pos\n")
    trained.refuses(
        3, "byte 0xef is not valid UTF-8; if the file is in another encoding, say --encoding cp1252", "predict", "b.csv"
    )
    trained.write("c.csv", b"text,label\nna\x81ve,pos\n")
    trained.refuses(3, ["c.csv:2: byte 0x81 is not valid UTF-8, nor cp1252", "shift_jis"], "predict", "c.csv")
    for name in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"):
        trained.write("d.csv", "text,label\nnaïve,pos\n".encode(name))
        trained.refuses(3, f"without a byte order mark; use --encoding {name}", "predict", "d.csv")
        assert trained.works("predict", "d.csv", "--encoding", name).rows[0][-1] == "naïve"
