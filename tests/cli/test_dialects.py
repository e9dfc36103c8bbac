"""Every command reads a table as it is written, and what a refusal says to type works as it stands."""

from __future__ import annotations

import re
import shlex

import pytest

RECORDS = [("so good and warm", "pos"), ("so bad and cold", "neg"), ("a good film", "pos"), ("a bad film", "neg")]


def rows(mark: str, records: list[tuple[str, ...]], end: str = "\n") -> str:
    return "".join(mark.join(record) + end for record in records)


WRITTEN = {
    "no header": ("csv", rows(",", RECORDS * 4), "1", "2"),
    "no header, tabs": ("tsv", rows("\t", RECORDS * 4), "1", "2"),
    "labels first": ("csv", rows(";", [(b, a) for a, b in RECORDS * 4]), "2", "1"),
    "semicolons": ("csv", "Satz;Art\n" + rows(";", RECORDS * 4), "Satz", "Art"),
    "Excel": (
        "csv",
        "\ufeffsep=;\r\nSatz;Art;;\r\n" + rows(";", [(*r, "", "") for r in RECORDS * 4], "\r\n"),
        "Satz",
        "Art",
    ),
    "pandas": (
        "csv",
        ",text,label\n" + rows(",", [(str(at), *r) for at, r in enumerate(RECORDS * 4)]),
        "text",
        "label",
    ),
    "bars": ("csv", "text|label\n" + rows("|", RECORDS * 4), "text", "label"),
}


@pytest.mark.parametrize("case", WRITTEN)
def test_every_command_reads_it_in_the_same_way(trained, tiny, case):
    suffix, content, text, label = WRITTEN[case]
    name = trained.write(f"a.{suffix}", content)
    said = trained.works("train", name, "--name", "d", *tiny).err
    assert f"text: {text}, label: {label}; change with --text/--label" in said
    assert "rows  16: " in said
    assert trained.works("evaluate", "d", name).rows[0] == ["rows", "16"]
    assert [row[-1] for row in trained.works("predict", name).rows] == [text for text, _ in RECORDS * 4]
    assert trained.works("tokenize", name).rows[0] == ["rows", "16"]
    assert trained.works("train", "--resume", "d", "--epochs", "3").code == 0


def test_a_short_file_without_a_header_has_a_prediction_for_each_row(trained):
    for content in ("so good and warm,pos\nso bad and cold,neg\n", "so good and warm,pos\n", '"so good, and warm"\n'):
        name = trained.write("a.csv", content)
        assert len(trained.works("predict", name).rows) == content.count("\n")
    name = trained.write("b.csv", "so good and warm,pos\nso bad and cold,neg\n")
    assert trained.works("evaluate", "latest", name).rows[0] == ["rows", "2"]
    assert trained.works("evaluate", "latest", name, "--no-header").rows[0] == ["rows", "2"]


REFUSED = {
    "two marks": ("a.csv", rows("|", [(f"{a};x", b) for a, b in RECORDS * 4]), ()),
    "a header or not": (
        "a.csv",
        "".join(f"w{at}a,{at}x\n".replace("0", "z") for at in range(3)),
        ("--task", "seq2seq"),
    ),
    "tabs in a text": ("a.txt", rows("\t", RECORDS * 4), ()),
    "semicolons in a text": ("a.txt", rows(";", RECORDS * 6), ()),
    "a translation with where it is from": (
        "a.txt",
        rows("\t", [(f"{a} {at}", f"{at} {b} so", f"CC-BY 2.0 #{at}") for at, (a, b) in enumerate(RECORDS * 4)]),
        (),
    ),
    "a translation and a note": (
        "a.tsv",
        rows(
            "\t", [(f"{a} {at}", f"{at} so it is {b}", f"{a[2:]} note {at}") for at, (a, b) in enumerate(RECORDS * 4)]
        ),
        (),
    ),
    "names that say nothing": (
        "a.csv",
        "en,fr\n" + rows(",", [(f"{a} {at}", f"{at} so it is {b}") for at, (a, b) in enumerate(RECORDS * 4)]),
        (),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_the_commands_of_a_refusal_work_as_they_stand(trained, tiny, case):
    name, content, options = REFUSED[case]
    trained.write(name, content)
    refusal = trained("train", name, *options)
    assert refusal.code == 3
    commands = re.findall(r"rnncli (train .*?)(?=; |\n|$)", refusal.err)
    assert len(commands) >= 2, refusal.err
    settings = [part for part in tiny if part not in ("--min-count", "1")]
    worked = [trained(*shlex.split(command), *settings).code for command in commands if "COLUMN" not in command]
    assert worked.count(0) >= 1
    assert set(worked) <= {0, 3}  # another reading may be refused in its turn


def test_numbers_with_commas_are_asked_about(trained, tiny):
    series = "id;time;x;state\n" + "".join(f"{at // 4};{at % 4};{at + 1},250;{'ab'[at // 4 % 2]}\n" for at in range(32))
    trained.write("a.csv", series)
    says = ["'x' may hold numbers with decimals or with thousands (1,250)", "1.250: rnncli train a.csv --decimal ,"]
    trained.refuses(3, says, "train", "a.csv", *tiny)
    for decimal in (",", "."):
        said = trained.works("train", "a.csv", "--decimal", decimal, *tiny).err
        assert "numbers: x" in said
    trained.refuses(2, "decimal should be '.' or ','", "train", "a.csv", "--decimal", "x", *tiny)


def test_a_nul_is_in_a_record_of_its_own(trained, tiny):
    trained.write("a.csv", "text,label\n" + rows(",", RECORDS * 4) + "so\0bad,neg\n")
    trained.refuses(3, ["a.csv:18: a NUL character", "--skip-bad"], "train", "a.csv", *tiny)
    assert (
        "1 bad record was left out: a.csv:18: a NUL character"
        in trained.works("train", "a.csv", "--skip-bad", *tiny).err
    )


def test_other_files_have_no_delimiter(trained):
    trained.write("a.jsonl", '{"text": "so good"}\n')
    trained.refuses(2, "--delimiter is for a table in a text file", "predict", "a.jsonl", "--delimiter", ";")
    trained.refuses(
        2,
        "--delimiter: 'semi' is not a delimiter",
        "predict",
        trained.write("a.csv", "text\nso\n"),
        "--delimiter",
        "semi",
    )
