"""One table of formats: whoever has to know a format reads it there."""

from __future__ import annotations

import io

import openpyxl
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from rnncli.cli.arguments.inputs import files_among, is_file
from rnncli.data.formats.registry import FORMATS, format_of, known_suffixes, looks_like_data
from rnncli.data.readers import open_table
from rnncli.errors import StorageError

SUFFIXES = known_suffixes()


def _binary(format: str) -> bytes:
    """A file of a record of a binary format."""
    made = io.BytesIO()
    if format == "xlsx":
        book = openpyxl.Workbook()
        book.active.append(["text", "label"])
        book.active.append(["good", "pos"])
        book.save(made)
    else:
        table = pa.table({"text": ["good"], "label": ["pos"]})
        (feather.write_feather if format == "arrow" else parquet.write_table)(table, made)
    return made.getvalue()


CONTENT = {
    "csv": "text,label\ngood,pos\n",
    "tsv": "text\tlabel\ngood\tpos\n",
    "jsonl": '{"text": "good", "label": "pos"}\n',
    "json": '[{"text": "good", "label": "pos"}]',
    "parquet": _binary("parquet"),
    "arrow": _binary("arrow"),
    "xlsx": _binary("xlsx"),
    "fasttext": "__label__pos good\n",
    "fasta": ">s1 pos\nACGT\n",
    "text": "good\n",
    "ts": "@classLabel true pos neg\n@data\n1,2,3:pos\n",
    "arff": "@attribute a numeric\n@attribute b {pos,neg}\n@data\n1,pos\n",
    "documents": "good\n",
    "conll": "good ADJ\n",
    "conllu": "1\tgood\tgood\tADJ\tJJ\t_\t0\troot\t_\t_\n",
    "lexicon": "good G UH1 D\n",
}


def test_every_format_has_an_example_here():
    assert CONTENT.keys() == FORMATS.keys()


@pytest.mark.parametrize("packed", ["", ".gz", ".GZ"])
@pytest.mark.parametrize("suffix", [*SUFFIXES, *map(str.upper, SUFFIXES)])
def test_a_suffix_is_read_and_taken_for_a_file_by_all(tmp_path, monkeypatch, suffix, packed):
    import gzip

    monkeypatch.chdir(tmp_path)
    name, format = f"a{suffix}{packed}", SUFFIXES[suffix.lower()]
    content = CONTENT[format] if isinstance(CONTENT[format], bytes) else CONTENT[format].encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if packed else content)
    assert format_of(name) == format
    table = open_table(name)
    assert (table.format, len(list(table.rows))) == (format, 1)
    assert is_file(name)
    assert files_among([name, name]) == [name, name]
    assert looks_like_data(f"missing{suffix}{packed}")
    for arguments in (["missing" + suffix], [name, "missing" + suffix], ["missing" + suffix, "gone" + suffix]):
        with pytest.raises(StorageError, match="there is no such file"):
            files_among(arguments)


@pytest.mark.parametrize("name", ["a.npy", "a.pkl", "a.xls", "a.zip"])
def test_a_file_of_numbers_or_of_a_format_that_is_not_read_is_no_text(name):
    with pytest.raises(StorageError, match="there is no such file"):
        is_file(name)


@pytest.mark.parametrize("text", ["I saw a.csv", "good", "so.", "3.14", "e.g. this", "a\0.b", ""])
def test_texts_are_texts(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    assert not is_file(text)
    assert files_among([text, "bad"]) == []
