"""All checks of a file, in the order in which they are made, each with what makes it needless.

What the user said is not doubted: a column that is named is what it was named as, unless it cannot be.
"""

from __future__ import annotations

from rnncli.data.doubts import blocks, decimals, files, series, tagged_words, text_files, texts
from rnncli.data.doubts.preview import Check, Checks, Known


def _always(*checks: Check) -> Checks:
    return [(check, Known.NOTHING) for check in checks]


# A file, by what its format holds;
FILE: dict[str, Checks] = {
    "records": [
        (files.lines_of_two, Known.COLUMNS),
        (text_files.words_in_a_table, Known.COLUMNS),
        (texts.tags_beside_words, Known.COLUMNS),
        (texts.rejected, Known.NOTHING),
        (blocks.blocks_of_rows, Known.COLUMNS),
    ],
    "texts": _always(
        text_files.slashed_tags,
        blocks.blocks_of_lines,
        text_files.machine_lines,
        text_files.lines_of_numbers,
        text_files.tagged_words,
        text_files.sentences_with_tags,
        text_files.same_tabs,
        text_files.lexicon,
        text_files.same_delimiters,
        text_files.loose_columns,
        text_files.labelled_lines,
    ),
    "documents": [],
    "tagged words": _always(text_files.slashed_tags, text_files.sentences_with_tags),
}

# words and tags in columns of their own, once these are chosen;
COLUMNS_OF_WORDS: Checks = [
    (tagged_words.tag_first, Known.COLUMNS),
    (tagged_words.no_words, Known.TEXT),
    (tagged_words.no_tags, Known.LABEL),
]

# a table before its columns are chosen;
TABLE: Checks = [
    (texts.only_texts, Known.NOTHING),
    (decimals.commas_in_numbers, Known.TEXT),
    (texts.several_series, Known.TEXT),
    (series.amounts, Known.TEXT),
    (series.series_as_texts, Known.TEXT | Known.TARGETS),
    (series.nothing_to_read, Known.TEXT | Known.TARGETS),
    (texts.several_columns_of_labels, Known.COLUMNS),
]

# one whose text is to be generated from its numbers;
DESCRIBED: Checks = [(decimals.commas_in_numbers, Known.NOTHING), (texts.several_columns_of_labels, Known.COLUMNS)]

# one whose columns of text and label were chosen;
CHOSEN: Checks = [
    (texts.list_as_text, Known.TARGETS),
    (texts.numbers_as_words, Known.NOTHING),
    (texts.word_per_row, Known.TARGETS | Known.CLASSES | Known.TAGS),
    (texts.tags_in_a_row, Known.TARGETS | Known.CLASSES),
    (texts.direction, Known.COLUMNS),
    (texts.second_text, Known.TEXT),
]

# and one whose labels are not amounts, lists or objects.
LABELLED: Checks = [(series.words_beside_numbers, Known.TEXT | Known.TARGETS)]
