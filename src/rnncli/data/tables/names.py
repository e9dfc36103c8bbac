"""What a column's name says: that it holds texts, labels, times, ids, or the part of the data that a row belongs to."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence


def _ranks(*groups: str) -> dict[str, int]:
    """The rank of each name: that of its group, from 0."""
    return {name: rank for rank, group in enumerate(groups) for name in group.split()}


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split())


# Best first: a name in an earlier group beats one in a later group; within a group they are equal.
_TEXT_NAMES = _ranks(
    "text",
    "review sentence comment message content body document tweet question utterance"
    " sequence tokens words source input prompt description abstract article",
    "title headline subject name word phrase",
)
_LABEL_NAMES = _ranks(
    "label labels",
    "target class y output",
    "sentiment category rating stars tag tags intent topic language lang emotion genre polarity score",
)
# Those that also count as the last word of a longer name: tweet_text, airline_sentiment, but not class_name.
_TEXT_ENDINGS = _set("text review sentence comment message content body tweet question")
_LABEL_ENDINGS = _set("label class target sentiment category rating stars intent topic")
_ENDING_RANK = 3  # below that of all names

_ID_NAMES = _set("id index idx uuid guid")

# A sample, a frame or a window counts the timesteps as often as the sequences, and so has to say that it is an id.
_SEQUENCE_IDS = _set(
    "id seq sequence series recording trial session episode seq_id sequence_id series_id recording_id trial_id"
    " session_id episode_id sample_id window_id track_id"
)
_GROUPS = _set(
    "id ids seq sequence series recording trial session episode machine sensor device unit subject patient user engine"
    " station vehicle run sample window track experiment channel"
)
TIMES = ("time", "t", "timestep", "time_step", "step", "timestamp", "frame")  # the first that there is orders the rows

_PARTS = _set(
    "split splits fold folds kfold cvfold set subset partition phase is_train is_test is_valid is_validation is_val"
    " in_train in_test"
)
_PART_ENDINGS = _set("split splits fold folds kfold partition")
_SENTENCES = _set("sentence sent document doc tweet text utterance")
_TEXTS_BESIDE = _set("summary answer reply response context premise hypothesis")

_OTHER_NAMES = _set(
    "age amount answer author bio city code column context count country customer date day email entities feedback"
    " field file filename fold frequency gender group hypothesis ids image ipa item key kind lemma letters line"
    " location machine month nr number phonemes phones premise price product pronunciation rank reply response sex"
    " split src state status subset summary tgt time timestamp translation type url user username value year"
)

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")
_IDENTIFIER = re.compile(r"[A-Za-z]+\d{1,6}|[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+|[a-z]{2,}[A-Z][A-Za-z0-9]*")

Rank = Callable[[str], int | None]


def words_of(name: str) -> list[str]:
    """``seriesID`` and ``series_id`` are series, id."""
    return [word.lower() for word in _WORD.findall(name)]


def snake_case(name: str) -> str:
    """``seriesID`` is ``series_id``."""
    return "_".join(words_of(name))


def text_rank(name: str) -> int | None:
    """How clearly a name says that its column holds texts: 0 is the clearest, None says nothing."""
    return _rank(name, _TEXT_NAMES, _TEXT_ENDINGS)


def label_rank(name: str) -> int | None:
    """How clearly a name says that its column holds labels: 0 is the clearest, None says nothing."""
    return _rank(name, _LABEL_NAMES, _LABEL_ENDINGS)


def _rank(name: str, ranks: dict[str, int], endings: frozenset[str]) -> int | None:
    return ranks.get(name.strip().lower(), _ENDING_RANK if _ends_in(name, endings) else None)


def _ends_in(name: str, endings: frozenset[str]) -> bool:
    return not endings.isdisjoint(words_of(name)[-1:])


def is_id_name(name: str) -> bool:
    """Whether a column of this name identifies rows and says nothing about them."""
    return name.strip().lower() in _ID_NAMES


def ends_in_id(name: str) -> bool:
    """Whether the last word of a name is that of an id: ``tweet_id``."""
    return _ends_in(name, _ID_NAMES)


def names_sequences(name: str) -> bool:
    """Whether the values of a column of this name say which sequence a timestep belongs to."""
    return snake_case(name) in _SEQUENCE_IDS


def names_groups(name: str) -> bool:
    """Whether the values of a column of this name may group the rows: ``machine_id``, ``sensor``."""
    return not _GROUPS.isdisjoint(words_of(name))


def names_sentences(name: str) -> bool:
    """Whether the values of a column of this name may say which sentence a word belongs to."""
    return not _SENTENCES.isdisjoint(words_of(name))


def names_parts(name: str) -> bool:
    """Whether the values of a column of this name divide the rows into parts: ``split``, ``k_fold``, ``data-split``."""
    words = words_of(name)
    return not _PARTS.isdisjoint(("_".join(words), "".join(words))) or _ends_in(name, _PART_ENDINGS)


def names_second_text(name: str) -> bool:
    """Whether a column of this name holds texts that belong to another column's: ``answer``, ``summary``."""
    return _ends_in(name, _TEXTS_BESIDE)


def is_name(name: str) -> bool:
    """Whether it looks like the name of a column: one that we know, or an identifier."""
    if len(name.split()) > 3:
        return False
    return is_known(name) or _IDENTIFIER.fullmatch(name.strip()) is not None


def is_known(name: str) -> bool:
    """Whether it is one of the names of columns that we know."""
    return name.strip().lower() in _OTHER_NAMES or is_id_name(name) or is_role(name)


def is_role(name: str) -> bool:
    """Whether it is the name of a text or of a label."""
    return len(name.split()) < 3 and (text_rank(name) is not None or label_rank(name) is not None)


def are_roles(names: Sequence[str]) -> bool:
    """Whether all of several names are known, and one is that of a text or a label: no record reads so."""
    given = [name for at, name in enumerate(names, 1) if name != f"column {at}"]
    return len(given) > 1 and all(map(is_known, given)) and any(map(is_role, given))
