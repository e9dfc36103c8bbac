"""All checks of a file, in the order in which they are made, each with what makes it needless.

What is known because the user said it is not doubted: a column that is named is what it was named as, unless it cannot
be.
"""

from __future__ import annotations

from rnncli.data.doubts.headers import no_header
from rnncli.data.doubts.preview import Checks, Known
from rnncli.data.doubts.series import nothing_to_read, series_as_texts, words_beside_numbers
from rnncli.data.doubts.text_files import (
    json_lines,
    labelled_lines,
    lexicon,
    lines_of_numbers,
    same_delimiters,
    same_tabs,
    slashed_tags,
    tag_first,
    tagged_words,
)
from rnncli.data.doubts.texts import (
    direction,
    list_as_text,
    numbers_as_words,
    second_text,
    several_columns_of_labels,
    tags_in_a_row,
    word_per_row,
)

# A file, by what its format holds;
FILE: dict[str, Checks] = {
    "records": ((no_header, Known.COLUMNS),),
    "texts": (
        (json_lines, Known.NOTHING),
        (slashed_tags, Known.NOTHING),
        (labelled_lines, Known.NOTHING),
        (lines_of_numbers, Known.NOTHING),
        (same_tabs, Known.NOTHING),
        (lexicon, Known.NOTHING),
        (tagged_words, Known.NOTHING),
        (same_delimiters, Known.NOTHING),
    ),
    "tagged words": ((slashed_tags, Known.NOTHING), (tag_first, Known.NOTHING)),
}

# a table before its columns are chosen;
TABLE: Checks = (
    (series_as_texts, Known.TEXT | Known.TARGETS),
    (nothing_to_read, Known.TEXT | Known.TARGETS),
    (several_columns_of_labels, Known.COLUMNS),
)

# one whose text is to be generated from its numbers;
DESCRIBED: Checks = ((several_columns_of_labels, Known.COLUMNS),)

# one whose columns of text and label were chosen;
CHOSEN: Checks = (
    (list_as_text, Known.TARGETS),
    (numbers_as_words, Known.NOTHING),
    (word_per_row, Known.TARGETS | Known.CLASSES | Known.TAGS),
    (tags_in_a_row, Known.TARGETS | Known.CLASSES),
    (direction, Known.COLUMNS),
    (second_text, Known.TEXT),
)

# and one whose labels are none of amounts, lists or objects.
LABELLED: Checks = ((words_beside_numbers, Known.TEXT | Known.TARGETS),)
