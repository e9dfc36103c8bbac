"""Word vectors from a file, with which a training begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnncli.config import Settings
from rnncli.data.text import word_vectors as vectors
from rnncli.errors import UsageError, counted
from rnncli.tasks.prepare import Prepared
from rnncli.training.state import TrainingState


@dataclass(frozen=True)
class Coverage:
    """How many of the known words the file has.

    Attributes:
        size: numbers in a vector.
        frozen: whether the vectors stay as they are; the rows of the other words are trained.
    """

    words: int
    covered: int
    size: int
    frozen: bool

    @property
    def sentence(self) -> str:
        left = "left as they are" if self.frozen else "tuned with the rest"
        return (
            f"{self.covered:,} of {self.words:,} known words ({self.covered / max(1, self.words):.0%}) have one "
            f"of {counted(self.size, 'number')}, {left}"
        )


def with_dimension(settings: Settings, given: Mapping[str, Any]) -> Settings:
    """The settings, with an embedding as large as the vectors.

    Args:
        given: the settings that the user has named.

    Raises:
        UsageError: the user wants another size, or has no vectors to freeze.
        DataError, StorageError: the file cannot be read.
    """
    if settings.vectors is None:
        if settings.freeze:
            raise UsageError("--freeze is for word vectors from a file", "name it with --vectors")
        return settings
    size = vectors.dimension(settings.vectors)
    if given.get("embedding", size) != size:
        have = f"the vectors of {settings.vectors} have {counted(size, 'number')}"
        raise UsageError(f"--embedding {settings.embedding}: {have}")
    return settings.replace(embedding=size)


def fill(prepared: Prepared, state: TrainingState) -> Coverage | None:
    """Puts the vectors into the tables of words; None where the settings name no file.

    Raises:
        UsageError: the network has no table of words, or the file none of the known words.
        DataError, StorageError: the file cannot be read.
    """
    settings = prepared.settings
    if settings.vectors is None:
        return None
    tables = prepared.word_tables
    if not tables:
        raise UsageError("--vectors are for words, and this network reads none as an embedding")
    found = vectors.read_vectors(settings.vectors, {word for words in tables.values() for word in words})
    if not found:
        raise UsageError(f"{settings.vectors} has a vector for none of the known words")
    covered = 0
    for table, words in tables.items():
        rows = [row for row, word in enumerate(words) if word in found]
        covered += len(rows)
        if rows:
            state.store.tables[table][rows] = np.stack([found[words[row]] for row in rows])
        if settings.freeze:
            state.store.frozen[table][rows] = 1
    return Coverage(sum(map(len, tables.values())), covered, settings.embedding, settings.freeze)
