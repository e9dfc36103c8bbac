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
_LABEL_BEGINNINGS = _set("label labels")  # label_sexist, label name
_ENDING_RANK = 3  # below that of all names
_NUMBERED_RANK = 4  # of names of numbered labels: category_id, Class Index

IDS = _set("id index idx uuid guid")

# Columns that say which sequence a timestep belongs to. A sample, a frame or a window counts timesteps as often as
# sequences, and so has to say that it is an id.
SEQUENCES = _set(
    "id seq sequence series recording trial session episode seq_id sequence_id series_id recording_id trial_id"
    " session_id episode_id sample_id window_id track_id"
)
FILE = "series_id"  # the column of the names of files, where each is a sequence
# Words in the names of columns that group rows: ``machine_id``, ``sensor``.
GROUPS = _set(
    "id ids seq sequence series recording trial session episode machine sensor device unit subject patient user engine"
    " station vehicle run sample window track experiment channel"
)
TIMES = ("time", "t", "timestep", "time_step", "step", "timestamp", "frame")  # the first that there is orders the rows
# Words in the names of columns that order rows: ``date``, ``time_s``, ``cycle``.
TIME_WORDS = _set(
    "time times timestep timestamp datetime date day days hour hours minute minutes second seconds month year week"
    " epoch ts ds cycle tick step frame ms millis zeit zeitstempel uhrzeit datum fecha heure hora tijd"
)
SENTENCES = _set("sentence sent document doc tweet text utterance")  # which sentence a word belongs to
WORDS, TAGS = _set("tokens words"), _set("tags ner_tags pos_tags")  # lists of words, and a tag for each
TAGGED = _set("tag tags label labels ner pos upos xpos chunk chunks iob bio")  # words in the names of lists of tags
SECOND_TEXTS = _set("summary answer reply response context premise hypothesis")  # that belong to other texts
CLASSES = _set("pos neg positive negative neutral ham spam real fake true false yes no good bad")  # of texts
FUNCTION_WORDS = _set(
    "a an and are as at but by can do for from he her his how i if in is it its my no not of on or our she so that the"
    " then there they this to was we what when where which who why with you your"
)  # with which sentences begin
DESCRIPTIONS = _set("text caption captions")  # of the numbers beside them
AMOUNTS = _set(  # that are to be predicted from a text, and are not described by it
    "age amount cool cost count downloads favorites favourites funny helpful income length likes price rating reactions"
    " replies retweets revenue salary sales score shares stars upvotes useful views votes words year"
)
_LANGUAGES = _set(
    "english french german spanish italian portuguese dutch russian polish czech turkish arabic hindi chinese japanese"
    " korean vietnamese indonesian swedish danish norwegian finnish greek hebrew ukrainian romanian hungarian urdu"
    " bengali tamil swahili latin"
)
_PARTS = _set(
    "split splits fold folds kfold cvfold set subset partition phase is_train is_test is_valid is_validation is_val"
    " in_train in_test"
)
_PART_ENDINGS = _set("split splits fold folds kfold partition")

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
    words = words_of(name)
    numbered = len(words) == 2 and words[0] in _LABEL_ENDINGS and words[1] in IDS
    if numbered:
        return _NUMBERED_RANK
    found = _rank(name, _LABEL_NAMES, _LABEL_ENDINGS)
    return _ENDING_RANK if found is None and len(words) > 1 and words[0] in _LABEL_BEGINNINGS else found


def _rank(name: str, ranks: dict[str, int], endings: frozenset[str]) -> int | None:
    return ranks.get(name.strip().lower(), _ENDING_RANK if ends_in(name, endings) else None)


def is_one_of(name: str, names: frozenset[str]) -> bool:
    """Whether a name is one of these, in upper or lower case."""
    return name.strip().lower() in names


def ends_in(name: str, words: frozenset[str]) -> bool:
    """Whether the last word of a name is one of these: ``tweet_id`` ends in an id."""
    return not words.isdisjoint(words_of(name)[-1:])


def mentions(name: str, words: frozenset[str]) -> bool:
    """Whether a word of a name is one of these."""
    return not words.isdisjoint(words_of(name))


def is_time_name(name: str) -> bool:
    """Whether a column of this name says when a row was measured."""
    return mentions(name, TIME_WORDS) or snake_case(name) in TIMES


def names_parts(name: str) -> bool:
    """Whether the values of a column of this name divide the rows into parts: ``split``, ``k_fold``, ``data-split``."""
    words = words_of(name)
    return not _PARTS.isdisjoint(("_".join(words), "".join(words))) or ends_in(name, _PART_ENDINGS)


def names_split(name: str) -> bool:
    """Whether a column of this name says by ``train``, ``valid`` or ``test`` what each row is for.

    Folds are numbered, each to be left out once; ``is_test`` says so of one part alone.
    """
    words = words_of(name)
    if words == ["usage"]:  # as in Kaggle's data; that of a machine has other values
        return True
    return names_parts(name) and not {"fold", "folds", "is", "in"} & set(words) and "fold" not in "".join(words)


def is_name(name: str) -> bool:
    """Whether it looks like the name of a column: one that we know, or an identifier."""
    if len(name.split()) > 3:
        return False
    return is_known(name) or _IDENTIFIER.fullmatch(name.strip()) is not None


def is_known(name: str) -> bool:
    """Whether it is one of the names of columns that we know."""
    return is_one_of(name, _OTHER_NAMES | IDS) or is_role(name)


def is_role(name: str) -> bool:
    """Whether it is the name of a text or of a label."""
    return len(name.split()) < 3 and (text_rank(name) is not None or label_rank(name) is not None)


def are_languages(names: Sequence[str]) -> bool:
    """Whether each of several names begins with that of another language: ``English words``, ``French words``."""
    first = [next(iter(words_of(name)), "") for name in names]
    return len(set(first)) == len(first) > 1 and all(word in _LANGUAGES for word in first)


def are_roles(names: Sequence[str]) -> bool:
    """Whether all of several names are known, and one is that of a text or a label: no record reads so."""
    given = [name for at, name in enumerate(names, 1) if name != f"column {at}"]
    return len(given) > 1 and all(map(is_known, given)) and any(map(is_role, given))
