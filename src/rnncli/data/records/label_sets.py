"""Any number of labels in one value: ``action, comedy``, or ``(none)``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from rnncli.data.formats.values import Value, as_text, words

NONE = "(none)"  # how no label is shown
SEPARATORS = "|;,"  # what may stand between the labels of one value, the first that does


def label_set(value: Value) -> tuple[str, ...]:
    """The distinct labels of a list, or of one typed as JSON, sorted; any other text is one label, an empty one none.

    Raises:
        ValueError: a label is empty, or is no name; the message continues "the label ".
    """
    found: Sequence[Value] | None = words(value)
    if found is None and isinstance(value, list | tuple):
        found = value
    if found is None:
        found = (value,) if not isinstance(value, str) or value.strip() else ()
    if any(not isinstance(one, str | int | float) for one in found):
        raise ValueError("holds a list or an object among its labels")
    return distinct_labels(map(as_text, found))


def distinct_labels(labels: Iterable[str]) -> tuple[str, ...]:
    """The labels without white space around them, each once, sorted; :data:`NONE` alone is none.

    Raises:
        ValueError: one is empty, or :data:`NONE` beside others; the message continues "the label ".
    """
    found = sorted({label.strip() for label in labels})
    if found == [NONE]:
        return ()
    for name, what in (("", "is empty"), (NONE, f"is {NONE}, which stands for none,")):
        if name in found:
            raise ValueError(f"{what} beside others" if len(found) > 1 else what)
    return tuple(found)


def shown_labels(labels: Sequence[str]) -> str:
    """Labels as they are shown: with commas between them, or as a JSON list where that could be misread."""
    if not labels:
        return NONE
    if any(
        label != label.strip() or label[:1] in "[(" or any(mark in label for mark in SEPARATORS) for label in labels
    ):
        return as_text(list(labels)) if len(labels) > 1 else labels[0]
    return ", ".join(labels)


def named_labels(text: str, known: Collection[str]) -> tuple[str, ...]:
    """The labels that a text names, as :func:`shown_labels` shows them or with another separator between them.

    Args:
        known: the labels that there are; a text that is one of them is that one.

    Returns:
        The labels, whether known or not.
    """
    if text in known:
        return (text,)
    if text.strip() in ("", NONE):
        return ()
    listed = words(text)
    if listed is not None:
        return tuple(sorted(set(listed)))
    for mark in SEPARATORS:
        parts = [part.strip() for part in text.split(mark)]
        if len(parts) > 1 and all(part in known for part in parts):
            return distinct_labels(parts)
    return (text,)
