"""Tagged words in columns: of CoNLL of any width, and of Universal Dependencies."""

from __future__ import annotations

import gzip
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import conllu
import pytest

from rnncli.data.dataset import Dataset, Source
from rnncli.data.formats.advice import DataFile
from rnncli.data.formats.conll import _OTHER_SPACE, _Sentences, open_conll, open_conll_u
from rnncli.data.formats.registry import FORMATS
from rnncli.data.formats.table import Ledger, Opened
from rnncli.data.inputs import stream_inputs
from rnncli.data.opening import read_dataset
from rnncli.data.readers import open_table
from rnncli.data.records import TokenLists
from rnncli.errors import DataError, UsageError
from rnncli.tasks import task_for

TEXT = "The DET\ncat NOUN\n\n\nIt\tPRON\n“sat” VERB\n"
Found = list[tuple[int, str, str]]


def dataset_of(tmp_path: Path, content: str, name: str = "a.conll", /, **how: object) -> Dataset:
    path = tmp_path / name
    path.write_bytes(gzip.compress(content.encode()) if name.endswith(".gz") else content.encode())
    return read_dataset(Source(str(path), **how))  # type: ignore[arg-type]


def read(tmp_path: Path, text: str, name: str = "a.conll", **how: object) -> Found:
    """Of each sentence its line, its words and its tags, with bars between them."""
    dataset = dataset_of(tmp_path, text, name, **how)
    assert task_for(dataset, "auto").name == "tag"
    found = zip(dataset.lines, dataset.inputs, dataset.labels, strict=True)
    return [(line, "|".join(words), "|".join(tags)) for line, words, tags in found]


def test_sentences_with_their_first_lines(tmp_path: Path) -> None:
    expected = [(1, "The|cat", "DET|NOUN"), (5, "It|“sat”", "PRON|VERB")]
    assert read(tmp_path, TEXT) == expected
    assert read(tmp_path, "\n" + TEXT.replace("\n", "\r\n"))[0] == (2, *expected[0][1:])
    assert read(tmp_path, TEXT, "a.conll.gz") == expected
    assert read(tmp_path, "\ufeff" + TEXT, "a.iob") == expected


DOCUMENTS = {
    "alone": "-DOCSTART-\n\n{}\n-DOCSTART-\n\n{}",
    "with a tag": "-DOCSTART- O\n\n{}\n-DOCSTART- O\n\n{}",
    "glued": "-DOCSTART- -DOCSTART- O\n{}-DOCSTART- -DOCSTART- O\n{}",
    "with all columns": "-DOCSTART- -X- -X- O\n\n{}\n-DOCSTART- -X- O O\n\n{}",
    "with a name": "-DOCSTART- (1 EU)\n{}\n\n-DOCSTART- (2 UN)\n{}",
    "with tabs": "-DOCSTART-\t-X-\tO\n\n{}\n-DOCSTART-\t-X-\tO\n\n{}",
}


@pytest.mark.parametrize("columns", ["{w} {t}", "{w} N {t}", "{w} N I-NP {t}", "{w}\tN\t{t}", "  {w}  N {t} "])
@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_the_last_column_is_the_tag_and_documents_are_counted(document: str, columns: str, tmp_path: Path) -> None:
    first, second = (
        "".join(columns.format(w=w, t=t) + "\n" for w, t in pairs)
        for pairs in ([("Ada", "B-PER"), ("-", "O")], [("#", "O"), ("Rome", "B-LOC")])
    )
    dataset = dataset_of(tmp_path, document.format(first, second))
    assert list(dataset.inputs) == [("Ada", "-"), ("#", "Rome")]
    assert list(dataset.labels) == [("B-PER", "O"), ("O", "B-LOC")]
    assert "left out: 2 lines that begin a document (-DOCSTART-)" in dataset.why


def test_words_hold_spaces_where_there_are_tabs(tmp_path: Path) -> None:
    text = "New York \tN\tB-LOC\nis \tV\tO\t\n\t\t\nso\tX\tO\n"
    assert read(tmp_path, text) == [(1, "New York|is", "B-LOC|O"), (4, "so", "O")]
    with pytest.raises(DataError) as caught:
        read(tmp_path, "a\tN\tO\nNew York O\n")
    assert caught.value.message == f"{tmp_path}/a.conll:2: 1 column separated by tabs, and the first line has 3"


def test_a_no_break_space_is_part_of_a_word(tmp_path: Path) -> None:
    assert read(tmp_path, "10\u00a0000 NUM\nmen NOUN\n") == [(1, "10\u00a0000|men", "NUM|NOUN")]


@pytest.mark.parametrize(
    "comment",
    ["# sent_id = 1", "# id 7f3\tdomain=en", "#begin document (bc/1); part 000", "# text = A b", "# a note of ours"],
)
def test_comments_before_a_sentence_are_left_out(comment: str, tmp_path: Path) -> None:
    text = f"{comment}\n# O\nAda B-PER\n\n{comment}\n{comment}\nRome B-LOC\n# O\n"
    assert read(tmp_path, text) == [(2, "#|Ada", "O|B-PER"), (7, "Rome|#", "B-LOC|O")]


def test_the_word_for_a_number_is_no_comment(tmp_path: Path) -> None:
    assert read(tmp_path, "# O\n1 NUM\n\n# O\n") == [(1, "#|1", "O|NUM"), (4, "#", "O")]
    with pytest.raises(DataError, match=":3: 1 column, and a line is a word and its tag"):
        read(tmp_path, "a O\n\n#hashtag\nb O\n")


def test_another_number_of_columns_is_refused_with_its_line(tmp_path: Path) -> None:
    bad = TEXT + "\na b c\nd X\n\ne Y\n"
    with pytest.raises(DataError) as caught:
        read(tmp_path, bad)
    assert caught.value.message == f"{tmp_path}/a.conll:8: 3 columns, and a line is a word and its tag"
    assert [line for line, *_ in read(tmp_path, bad, skip_bad=True)] == [1, 5, 11]
    with pytest.raises(DataError, match=":3: 2 columns, and the first line has 3"):
        read(tmp_path, "a b O\nc d O\ne O\n")


def test_nothing_but_empty_lines(tmp_path: Path) -> None:
    for text in ("\n \n", "-DOCSTART- O\n\n"):
        with pytest.raises(DataError, match="no records"):
            read(tmp_path, text)


# Universal Dependencies

CONLL_U = """\
# newdoc id = a
# text = I've none.
1-2	I've	_	_	_	_	_	_	_	_
1	I	I	PRON	PRP	Case=Nom|Number=Sing	2	nsubj	_	_
2	've	have	VERB	VBP	_	0	root	_	_
3	none	none	NOUN	NN	_	2	obj	_	SpaceAfter=No
4	.	.	PUNCT	.	_	2	punct	_	_

# text = New York did
1	New York	New York	PROPN	NNP	_	2	nsubj	_	_
2	did	do	AUX	VBD	_	0	root	_	_
2.1	go	go	VERB	VB	_	_	_	2:dep	_
"""


def columns_of(tmp_path: Path, text: str, name: str) -> tuple[list[dict[str, object]], list[str]]:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    table = open_table(path)
    rows = [dict(zip(table.columns, row.values, strict=True)) for row in table.rows]
    return rows, table.ledger.said


def test_words_that_are_none_are_left_out_and_counted(tmp_path: Path) -> None:
    rows, said = columns_of(tmp_path, CONLL_U, "a.conllu")
    assert [row["form"] for row in rows] == [("I", "'ve", "none", "."), ("New York", "did")]
    assert [row["upos"] for row in rows] == [("PRON", "VERB", "NOUN", "PUNCT"), ("PROPN", "AUX")]
    assert rows[0]["feats"] == ("Case=Nom|Number=Sing", "_", "_", "_")
    assert said == ["left out: 3 comments, 1 multiword token (1-2), 1 empty node (1.1)"]


def test_what_another_library_writes_is_read(tmp_path: Path) -> None:
    """Each column, as ``conllu`` parses it out of what it wrote itself."""
    parsed = conllu.parse(CONLL_U)
    written = "".join(sentence.serialize() for sentence in parsed)
    rows, _ = columns_of(tmp_path, written, "a.conllu")
    again = [[token for token in sentence if isinstance(token["id"], int)] for sentence in conllu.parse(written)]
    assert [len(sentence) for sentence in again] == [4, 2]
    for column in ("form", "lemma", "upos", "xpos", "deprel"):
        assert [row[column] for row in rows] == [tuple(token[column] for token in sentence) for sentence in again]
    feats = ("|".join(f"{key}={value}" for key, value in (token["feats"] or {}).items()) or "_" for token in again[0])
    assert rows[0]["feats"] == tuple(feats)


@pytest.mark.parametrize(
    ("how", "text", "label", "tags"),
    [
        ({}, "form", "upos", "PRON|VERB|NOUN|PUNCT"),
        ({"label": "xpos"}, "form", "xpos", "PRP|VBP|NN|."),
        ({"label": "FEATS"}, "form", "feats", "Case=Nom|Number=Sing|_|_|_"),
        ({"text": "3", "label": "4"}, "lemma", "upos", "PRON|VERB|NOUN|PUNCT"),
    ],
)
def test_the_tag_is_upos_unless_another_column_is_named(
    how: dict[str, str], text: str, label: str, tags: str, tmp_path: Path
) -> None:
    dataset = dataset_of(tmp_path, CONLL_U, "a.conllu", **how)
    assert (dataset.source.text, dataset.source.label) == (text, label)
    assert "|".join(dataset.labels[0]) == tags
    assert "left out: 3 comments, 1 multiword token (1-2), 1 empty node (1.1)" in dataset.why


def test_columns_are_named_by_number(tmp_path: Path) -> None:
    text = "Ada NNP I-NP B-PER\ncame VBD I-VP O\n"
    for how, label, tags in (
        ({}, "tags", ("B-PER", "O")),
        ({"label": "2"}, "2", ("NNP", "VBD")),
        ({"label": "4"}, "tags", ("B-PER", "O")),
        ({"text": "1", "label": "3"}, "3", ("I-NP", "I-VP")),
    ):
        dataset = dataset_of(tmp_path, text, **how)
        assert (dataset.source.text, dataset.source.label, list(dataset.labels)) == ("tokens", label, [tags])
    for name in ("5", "0", "ner"):
        with pytest.raises(DataError, match=f"--label: there is no column '{name}'"):
            dataset_of(tmp_path, text, label=name)
    with pytest.raises(UsageError, match="--text and --label both name the column 'tokens'"):
        dataset_of(tmp_path, text, text="1", label="tokens")


def test_words_without_tags_are_read_where_none_are_needed(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        dataset_of(tmp_path, "The\ncat\n")
    assert caught.value.message == f"{tmp_path}/a.conll:1: each line has 1 column, and a line is a word and its tag"
    inputs = stream_inputs(Source(str(tmp_path / "a.conll")), inputs=TokenLists)
    assert [one.value for one in inputs] == [("The", "cat")]


def test_conll_u_plus_names_its_columns(tmp_path: Path) -> None:
    text = "# global.columns = ID FORM UPOS NER\n1\tAda\tPROPN\tB-PER\n2\tcame\tVERB\tO\n"
    rows, _ = columns_of(tmp_path, text, "a.conllup")
    assert rows == [{"id": ("1", "2"), "form": ("Ada", "came"), "upos": ("PROPN", "VERB"), "ner": ("B-PER", "O")}]


def test_a_line_without_tabs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="u:1: 1 column separated by tabs, and a line of CoNLL-U has 10"):
        columns_of(tmp_path, "1 I I PRON PRP _ 2 nsubj _ _\n", "a.conllu")


def test_sentences_are_the_same_however_their_lines_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines that are all words are cut together, others one by one; and a file comes in pieces of any size."""
    chance = random.Random(0)
    good = ("a\tO\n", "bc\tB-X\n", "\n", "\n", "é\tO\r\n", "1\tx\n", "2\ty\n", "a O\n", "b I-X\n")
    odd = (
        " \n",
        "-DOCSTART-\tO\n",
        "# c = d\n",
        "#\n",
        "q\n",
        "q\tr\ts\n",
        "q\t\n",
        "\tq\n",
        "\x0b\t\x0b\n",
        "a\xa0b\tO\n",
    )
    kinds = ((good,), (good, odd), ((*good, *odd), ("-", "\t", " ", "\r", "\n", "\0", "\u2028", "1-2")))
    for _ in range(400):
        parts = [part for kind in chance.choice(kinds) for part in chance.choices(kind, k=chance.randint(1, 12))]
        chance.shuffle(parts)
        data = "".join(parts).encode()
        for opener in (open_conll, open_conll_u):
            whole = _read(opener, [data])
            assert _read(opener, [data[at : at + 3] for at in range(0, len(data), 3)]) == whole
            with monkeypatch.context() as patch:
                patch.setattr(_Sentences, "_columns", lambda self, lines: None)
                assert _read(opener, [data]) == whole


def _read(opener: Callable[[Iterator[bytes], Ledger], Opened], chunks: list[bytes]) -> object:
    """The sentences of a file with what was left out, or what is wrong with it."""
    ledger = Ledger(DataFile("f", FORMATS["conll"], "utf-8"), skip_bad=True, max_field=1000)
    try:
        rows = list(opener(iter(chunks), ledger).rows)
    except DataError as error:
        return str(error)
    return rows, ledger.skipped, ledger.count, ledger.documents, ledger.said


def test_all_white_space_is_known() -> None:
    others = {chr(code) for code in range(sys.maxunicode) if chr(code).isspace()} - set("\n\r\t ")
    assert set(_OTHER_SPACE) == others
