"""Records as they are read: typed inputs and labels, each value in a few bytes."""

from rnncli.data.records.typed import (
    SKIP_HINT,
    TOO_MANY,
    Amounts,
    FeatureRows,
    Inputs,
    LabelSets,
    NumberArrays,
    Records,
    Series,
    SeriesArrays,
    Shown,
    Texts,
    TokenLists,
)

__all__ = [
    "SKIP_HINT",
    "TOO_MANY",
    "Amounts",
    "FeatureRows",
    "Inputs",
    "LabelSets",
    "NumberArrays",
    "Records",
    "Series",
    "SeriesArrays",
    "Shown",
    "Texts",
    "TokenLists",
]
