"""Settings: what is possible, how it is refused, and the same in YAML."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import pytest
from helpers import CELLS, time_limit
from hypothesis import given
from hypothesis import strategies as st

from rnncli.config import SETTING_NAMES, Settings, known_name, parse, setting, settings_from_yaml
from rnncli.errors import UsageError


def refusal(call: Any, *args: Any, **named: Any) -> str:
    """The message of a refusal: one line, and not a long one."""
    with pytest.raises(UsageError) as caught:
        call(*args, **named)
    message = caught.value.message
    assert caught.value.exit_code == 2
    assert len(message) < 300
    assert "\n" not in message
    return message


# Values


IMPOSSIBLE: list[tuple[str, Any, str]] = [
    ("lr", math.nan, "lr must be above 0 and at most 1e+09, not nan"),
    ("lr", math.inf, "lr must be above 0 and at most 1e+09, not inf"),
    ("lr", -1, "lr must be above 0 and at most 1e+09, not -1.0"),
    ("lr", 0, "lr must be above 0 and at most 1e+09, not 0.0"),
    ("lr", 10**400, "lr must be above 0"),
    ("dropout", 1, "dropout must be at least 0 and below 1, not 1.0"),
    ("dropout", -0.1, "dropout must be at least 0 and below 1, not -0.1"),
    ("clip", 0, "clip must be above 0 and finite, not 0.0"),
    ("clip", math.inf, "clip must be above 0 and finite, not inf"),
    ("hidden", 0, "hidden must be at least 1 and at most 65,536, not 0"),
    ("hidden", -3, "hidden must be at least 1 and at most 65,536, not -3"),
    ("hidden", 10**12, "hidden must be at least 1 and at most 65,536, not 1000000000000"),
    ("hidden", 10**5000, "hidden must be at least 1 and at most 65,536, not a number of thousands of digits"),
    ("hidden", 4.0, "hidden must be a whole number, not 4.0"),
    ("hidden", "4", "hidden must be a whole number, not '4'"),
    ("hidden", True, "hidden must be a whole number, not 'True'"),
    ("hidden", None, "hidden must be a whole number, not 'None'"),
    ("bidirectional", 1, "bidirectional must be true or false, not 1"),
    ("seed", -1, "seed must be at least 0"),
    ("seed", 2**128, "seed must be at least 0"),
    ("validation", 0.95, "validation must be at least 0 and at most 0.9, not 0.95"),
    ("epochs", -1, "epochs must be at least 0 and at most 1,000,000, not -1"),
    ("patience", 0, "patience must be at least 1 and at most 1,000,000, not 0"),
    ("batch", 0, "batch must be at least 1"),
    ("cell", "lsmt", "cell must be one of rnn, lstm, gru, mingru, not 'lsmt'; did you mean 'lstm'?"),
    ("cell", "os.system", "cell must be one of rnn, lstm, gru, mingru, not 'os.system'"),
    ("cell", ["lstm"], "cell must be one of rnn, lstm, gru, mingru"),
    ("cell", "x" * 10_000, "cell must be one of"),
    ("optimizer", "adamx", "did you mean 'adam"),
]


@pytest.mark.parametrize(("name", "value", "message"), IMPOSSIBLE, ids=[name for name, _, _ in IMPOSSIBLE])
def test_impossible_values(name: str, value: Any, message: str) -> None:
    assert message in refusal(Settings, **{name: value})
    assert message in refusal(Settings().replace, **{name: value})


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("seed", 0, 0),
        ("seed", 2**128 - 1, 2**128 - 1),
        ("lr", 1, 1.0),
        ("clip", None, None),
        ("clip", 5, 5.0),
        ("epochs", 0, 0),
        ("epochs", None, None),
        ("patience", None, None),
        ("dropout", 0, 0.0),
        ("validation", 0, 0.0),
        ("validation", 0.9, 0.9),
        ("hidden", 65_536, 65_536),
    ],
)
def test_possible_values(name: str, value: Any, kept: Any) -> None:
    found = getattr(Settings(**{name: value}), name)
    assert found == kept
    assert type(found) is type(kept)


def test_every_setting_has_a_help_and_a_possible_default() -> None:
    fields = dataclasses.fields(Settings)
    assert tuple(field.name for field in fields) == SETTING_NAMES
    assert all(field.metadata["help"] for field in fields)
    assert Settings().as_dict() == {field.name: field.default for field in fields}


def test_names() -> None:
    assert Settings.from_mapping({"cell": "gru", "hidden": 3}) == Settings(cell="gru", hidden=3)
    assert refusal(Settings.from_mapping, {"hiden": 3}) == "settings: 'hiden' is not a setting; did you mean 'hidden'?"
    assert refusal(known_name, "qqqq", "here") == "here: 'qqqq' is not a setting"
    assert refusal(known_name, 7, "here") == "here: 7 is not a setting"
    assert refusal(known_name, "x" * 10_000, "here").startswith("here: 'xxx")


def test_settings_do_not_change() -> None:
    settings = Settings()
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.hidden = 3  # type: ignore[misc]
    assert settings.replace(hidden=3).hidden == 3
    assert settings.hidden == Settings().hidden


# As text


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("hidden", "12", 12),
        ("lr", "1e-3", 0.001),
        ("bidirectional", "no", False),
        ("bidirectional", "TRUE", True),
        ("bidirectional", "1", True),
        ("epochs", "auto", None),
        ("clip", "None", None),
        ("epochs", "3", 3),
        ("tokens", "auto", "auto"),
        ("cell", "gru", "gru"),
    ],
)
def test_texts(name: str, text: str, value: Any) -> None:
    assert parse(name, text) == value
    assert setting(name, text, "RNNCLI_X") == value


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("hidden", "1.5", "V: hidden must be a whole number, not '1.5'"),
        ("hidden", "none", "V: hidden must be a whole number, not 'none'"),
        ("lr", "fast", "V: lr must be a number, not 'fast'"),
        ("lr", "nan", "V: lr must be above 0"),
        ("bidirectional", "maybe", "V: bidirectional must be true or false, not 'maybe'"),
        ("cell", "elman", "V: cell must be one of"),
        ("hiden", "3", "V: 'hiden' is not a setting"),
    ],
)
def test_impossible_texts(name: str, text: str, message: str) -> None:
    assert message in refusal(setting, name, text, "V")


# YAML


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "cell": st.sampled_from(CELLS),
            "hidden": st.integers(1, 65_536),
            "lr": st.floats(0, 1e9, exclude_min=True),
            "clip": st.none() | st.floats(0, 1e300, exclude_min=True),
            "epochs": st.none() | st.integers(0, 10**6),
            "seed": st.integers(0, 2**128 - 1),
            "bidirectional": st.booleans(),
            "dropout": st.floats(0, 1, exclude_max=True),
        },
    )
)
def test_settings_come_back_from_their_file(values: dict[str, Any]) -> None:
    settings = Settings(**values)
    read = settings_from_yaml(settings.to_yaml().encode(), "s.yaml")
    assert Settings(**read) == settings
    assert list(read) == list(SETTING_NAMES)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("# only a comment\n", {}),
        ("hidden: 3\ncell: gru  # small\n", {"hidden": 3, "cell": "gru"}),
        ("epochs: auto\nclip: none\npatience: null", {"epochs": None, "clip": None, "patience": None}),
        ("lr: 1e-3", {"lr": 0.001}),  # a text for YAML, which wants a dot before an e
        ("{hidden: 3, bidirectional: no}", {"hidden": 3, "bidirectional": False}),
    ],
)
def test_files(text: str, values: dict[str, Any]) -> None:
    assert settings_from_yaml(text.encode(), "s.yaml") == values


BOMB = "a: &a [x, x]\n" + "".join(
    f"{after}: &{after} [*{before}, *{before}]\n" for before, after in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"hiden: 3", "s.yaml:1: 'hiden' is not a setting; did you mean 'hidden'?"),
        (b"# mine\n\nhidden: 0", "s.yaml:3: hidden must be at least 1"),
        (b"cell: gru\nhidden: [3]", "s.yaml:2: hidden must be a whole number"),
        (b"hidden: 3\nhidden: 4", "s.yaml:2: 'hidden' is given twice"),
        (b"- hidden", "s.yaml: a settings file holds 'name: value' lines"),
        (b"hidden", "s.yaml: a settings file holds 'name: value' lines"),
        (b"hidden: 3\n\tcell: gru", "s.yaml:2: "),
        (b"hidden: [3", "s.yaml:"),
        (b"1: 2", "s.yaml: 1 is not a setting"),
        (b"null: 2", "s.yaml: 'None' is not a setting"),
        (b"? [a]\n: 2", "s.yaml"),
        (b"hidden: !!python/object/apply:os.system ['touch canary']", "s.yaml:1: "),
        (b"!!python/object/new:os.system ['touch canary']", "s.yaml:1: "),
        (b"a: &a 1\nb: *a", "aliases"),
        (BOMB.encode(), "aliases"),
        (b"[" * 50_000, "nested more than 10 deep"),
        (b"{1: " * 20_000, "s.yaml"),
        (b"\xff\xfe\x00", "s.yaml"),
        (b"hidden: 3\x00", "s.yaml"),
        (b"seed: " + b"9" * 90_000, "s.yaml"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_files_that_are_refused(text: bytes, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with time_limit(60):
        assert message in refusal(settings_from_yaml, text, "s.yaml")
    assert list(tmp_path.iterdir()) == []
