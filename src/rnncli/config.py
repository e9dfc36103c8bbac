"""All settings of a training: one frozen value, checked when it is made, YAML in and YAML out."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypedDict, get_args, get_origin, get_type_hints

from rnncli.errors import UsageError, closest, counted

# The tasks there are, each with its package, in the order in which they are asked whether a file is for them: the last
# one takes what is left.
TASKS = {
    "lm": "rnncli.tasks.language_model",
    "caption": "rnncli.tasks.caption",
    "tag": "rnncli.tasks.tag",
    "seq2seq": "rnncli.tasks.seq2seq",
    "classify": "rnncli.tasks.classify",
}

# A settings file larger than this is not one, and would take seconds to parse.
MAX_YAML_BYTES = 100_000
# Brackets in brackets: settings have none, and each level makes the YAML scanner slower.
MAX_YAML_NESTING = 10


def _range(low: float, high: float, *, open_low: bool = False, open_high: bool = False, help: str) -> Any:
    return {"low": low, "high": high, "open_low": open_low, "open_high": open_high, "help": help}


def _setting(default: Any, **metadata: Any) -> Any:
    return dataclasses.field(default=default, metadata=metadata)


# What can be chosen. Each cell is a module of rnncli.core.cells.
Cell = Literal["rnn", "lstm", "gru", "mingru"]
Nonlinearity = Literal["tanh", "relu"]
Readout = Literal["last", "mean", "max"]
Input = Literal["embedding", "onehot"]
Inject = Literal["start", "every"]
Initializer = Literal["orthogonal", "uniform"]
TokenUnit = Literal["auto", "word", "char", "symbol"]
Optimizer = Literal["sgd", "momentum", "rmsprop", "adam", "adamw"]
Schedule = Literal["constant", "linear", "cosine"]
ClassWeights = Literal["none", "sqrt", "balanced"]
Precision = Literal["float32", "float64"]


@dataclass(frozen=True)
class Settings:
    """Everything that decides what a training does; each field is also an option of ``rnncli train``.

    Raises:
        UsageError: a value is not of its type or out of its range.
    """

    task: Literal[("auto", *TASKS)] = _setting("auto", help="the shape of the problem; some have defaults of their own")  # type: ignore[valid-type]

    # The model
    cell: Cell = _setting("lstm", help="recurrent cell")
    nonlinearity: Nonlinearity = _setting("tanh", help="of the plain RNN")
    hidden: int = _setting(64, **_range(1, 65_536, help="hidden units per direction"))
    layers: int = _setting(1, **_range(1, 16, help="stacked recurrent layers"))
    bidirectional: bool = _setting(True, help="read in both directions")
    readout: Readout = _setting("max", help="how a classifier combines the outputs of all timesteps")
    input: Input = _setting("embedding", help="learned embeddings, or one-hot vectors")
    embedding: int = _setting(100, **_range(1, 65_536, help="size of a learned embedding"))
    embedding_scale: float = _setting(
        0.1, **_range(0, 100, open_low=True, help="standard deviation of the initial embeddings")
    )
    vectors: str | None = _setting(
        None, metavar="FILE", absent="none", help="pretrained word vectors in GloVe's or fastText's text format"
    )
    freeze: bool = _setting(False, help="do not train the given word vectors")
    attention: bool = _setting(True, help="the decoder attends to its source")
    inject: Inject = _setting(
        "start", help="where the numbers of a caption enter the decoder: its initial state, or every step as well"
    )
    bias: bool = _setting(True, help="bias terms in cells and output layer")
    initializer: Initializer = _setting(
        "orthogonal", help="initial weights; uniform, up to 1/sqrt(hidden), as in PyTorch"
    )
    dropout: float = _setting(0.5, **_range(0, 1, open_high=True, help="dropout rate during training"))

    # The data
    tokens: TokenUnit = _setting("auto", help="what a timestep is; symbols stand between white space")
    lowercase: bool = _setting(True, help="fold case")
    normalize: bool = _setting(True, help="compose accents (Unicode NFC)")
    min_count: int = _setting(2, **_range(1, 2**31, help="rarer tokens become <unk>"))
    max_vocabulary: int = _setting(10_000, **_range(1, 10_000_000, help="size of the vocabulary at most"))
    max_length: int = _setting(
        256, **_range(1, 1_000_000, help="tokens read of a text; the middle of a longer one is skipped")
    )
    validation: float = _setting(0.1, **_range(0, 0.9, help="share of rows set aside to validate; 0 for none"))

    # The training
    optimizer: Optimizer = _setting("adamw", help="optimizer")
    lr: float = _setting(0.005, **_range(0, 1e9, open_low=True, help="learning rate"))
    schedule: Schedule = _setting("linear", help="how the learning rate falls")
    warmup: int = _setting(0, **_range(0, 10**9, help="steps over which the learning rate first rises"))
    momentum: float = _setting(0.9, **_range(0, 1, open_high=True, help="of the optimizer momentum"))
    weight_decay: float = _setting(0.03, **_range(0, 1, help="of the optimizer adamw"))
    clip: float | None = _setting(
        1.0,
        **_range(
            0,
            math.inf,
            open_low=True,
            help="largest norm of a gradient, longer ones are scaled down; none for no limit",
        ),
    )
    batch: int = _setting(32, **_range(1, 1_000_000, help="sequences per step"))
    epochs: int | None = _setting(None, **_range(0, 1_000_000, help="passes over the data; auto: by its size"))
    patience: int | None = _setting(
        None,
        **_range(1, 1_000_000, help="epochs without a better score before it stops; auto: half of all, at least 5"),
    )
    workers: int | None = _setting(
        None, **_range(1, 64, help="number of processes; auto: all cores where that is quicker")
    )
    keep_epochs: bool = _setting(False, help="keep the model of every epoch too, as RUN@EPOCH; 0 is the untrained one")
    class_weights: ClassWeights = _setting("none", help="extra weight for rare labels")
    seed: int = _setting(0, **_range(0, 2**128 - 1, help="seed of all random numbers"))
    dtype: Precision = _setting("float32", help="precision")

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            checked = _check(field.name, getattr(self, field.name), _TYPES[field.name], _METADATA[field.name])
            object.__setattr__(self, field.name, checked)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], source: str = "settings") -> Settings:
        """Settings from names and values; ``source`` names them in messages.

        Raises:
            UsageError: a name is not a setting, or a value is not possible.
        """
        for name in values:
            known_name(name, source)
        return cls(**values)

    def as_dict(self) -> dict[str, Any]:
        """Plain values by name, in the order of definition."""
        return dataclasses.asdict(self)

    def to_yaml(self) -> str:
        """A settings file that gives these settings back."""
        import yaml

        return str(yaml.safe_dump(self.as_dict(), sort_keys=False, allow_unicode=True))

    @property
    def network_words(self) -> str:
        """Cell and sizes, for people: ``LSTM, 64 units, 1 layer, both directions``."""
        directions = "both directions" if self.bidirectional else "one direction"
        return f"{self.cell.upper()}, {counted(self.hidden, 'unit')}, {counted(self.layers, 'layer')}, {directions}"

    def replace(self, **changes: Any) -> Settings:
        return dataclasses.replace(self, **changes)


class SettingsDict(TypedDict, total=False):
    """Settings by name, for type checkers: as :class:`Settings`, of which none has to be there."""

    task: str
    cell: Cell
    nonlinearity: Nonlinearity
    hidden: int
    layers: int
    bidirectional: bool
    readout: Readout
    input: Input
    embedding: int
    embedding_scale: float
    vectors: str | None
    freeze: bool
    attention: bool
    inject: Inject
    bias: bool
    initializer: Initializer
    dropout: float
    tokens: TokenUnit
    lowercase: bool
    normalize: bool
    min_count: int
    max_vocabulary: int
    max_length: int
    validation: float
    optimizer: Optimizer
    lr: float
    schedule: Schedule
    warmup: int
    momentum: float
    weight_decay: float
    clip: float | None
    batch: int
    epochs: int | None
    patience: int | None
    workers: int | None
    keep_epochs: bool
    class_weights: ClassWeights
    seed: int
    dtype: Precision


_TYPES = get_type_hints(Settings)
_METADATA = {field.name: field.metadata for field in dataclasses.fields(Settings)}
SETTING_NAMES = tuple(_TYPES)


def known_name(name: object, source: str) -> None:
    """Refuses a key that is not a setting.

    Raises:
        UsageError: with the closest setting there is.
    """
    if name not in SETTING_NAMES:
        near = closest(name, SETTING_NAMES) if isinstance(name, str) else ""
        raise UsageError(f"{source}: {_shown(name)} is not a setting{near}")


def setting(name: str, value: Any, source: str) -> Any:
    """A setting's value from a file or the environment, checked; a text means what it means as an option.

    Raises:
        UsageError: ``source`` has no such setting, or the value is not possible.
    """
    known_name(name, source)
    try:
        parsed = parse(name, value) if isinstance(value, str) else value
        return _check(name, parsed, _TYPES[name], _METADATA[name])
    except UsageError as error:
        raise UsageError(f"{source}: {error.message}", error.hint) from None


def parse(name: str, text: str) -> Any:
    """A setting's value from a text.

    Raises:
        UsageError: the text is not of the setting's type.
    """
    kind = _TYPES[name]
    if text.lower() in ("none", "auto") and _optional(kind):
        return None
    if kind is bool:
        words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
        if text.lower() not in words:
            raise UsageError(f"{name} must be true or false, not {_shown(text)}")
        return words[text.lower()]
    base = _base(kind)
    if base in (int, float):
        try:
            return base(text)
        except ValueError:
            raise UsageError(f"{name} must be {_article(base)}, not {_shown(text)}") from None
    return text


def _check(name: str, value: Any, kind: Any, metadata: Mapping[str, Any]) -> Any:
    """The value, in its own type.

    Raises:
        UsageError: it has another type, or is out of range.
    """
    if value is None and _optional(kind):
        return None
    base = _base(kind)
    if get_origin(base) is Literal:
        choices = get_args(base)
        if not isinstance(value, str) or value not in choices:
            near = closest(value, choices) if isinstance(value, str) else ""
            raise UsageError(f"{name} must be one of {', '.join(choices)}, not {_shown(value)}{near}")
        return value
    if base is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value) if abs(value) < 1e300 else math.inf
    if type(value) is not base:
        raise UsageError(f"{name} must be {_article(base)}, not {_shown(value)}")
    if base is str and any("\ud800" <= character <= "\udfff" for character in value):
        raise UsageError(f"{name} must be UTF-8, for a model to keep it, not {_shown(value)}")
    if "low" in metadata and not _inside(value, metadata):
        raise UsageError(f"{name} must be {_range_words(metadata)}, not {_shown(value)}")
    return value


def _inside(value: float, allowed: Mapping[str, Any]) -> bool:
    if isinstance(value, float) and not math.isfinite(value):
        return False
    above = value > allowed["low"] if allowed["open_low"] else value >= allowed["low"]
    below = value < allowed["high"] if allowed["open_high"] else value <= allowed["high"]
    return bool(above and below)


def _range_words(allowed: Mapping[str, Any]) -> str:
    low = f"above {allowed['low']:g}" if allowed["open_low"] else f"at least {allowed['low']:g}"
    if math.isinf(allowed["high"]):
        return f"{low} and finite"
    high = f"below {allowed['high']:g}" if allowed["open_high"] else f"at most {_number(allowed['high'])}"
    return f"{low} and {high}"


def _shown(value: object) -> str:
    """A refused value in a message; a text in quotes, and nothing long."""
    try:
        text = str(value)
    except ValueError:  # Python writes no integer of more than 4,300 digits
        return "a number of thousands of digits"
    short = text if len(text) <= 60 else f"{text[:59]}…"
    return short if isinstance(value, (int, float)) and not isinstance(value, bool) else f"'{short}'"


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def _optional(kind: Any) -> bool:
    return type(None) in get_args(kind)


def _base(kind: Any) -> Any:
    return next(part for part in get_args(kind) if part is not type(None)) if _optional(kind) else kind


def _article(base: type) -> str:
    names = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}
    return names.get(base, base.__name__)


def settings_of_file(path: str) -> dict[str, Any]:
    """The values in a settings file, by name.

    Raises:
        UsageError: it is too large, not a mapping of settings, or not YAML.
        StorageError: it cannot be read.
    """
    from rnncli import storage  # not for --help

    if os.path.isfile(path) and os.path.getsize(path) > MAX_YAML_BYTES:
        raise UsageError(f"{path}: a settings file has at most {MAX_YAML_BYTES:,} bytes")
    return settings_from_yaml(storage.read_bytes(path, MAX_YAML_BYTES), path)


def settings_from_yaml(text: bytes, source: str) -> dict[str, Any]:
    """The values in a settings file, by name.

    Raises:
        UsageError: not a mapping of settings, or not YAML.
    """
    import yaml

    try:
        lines = _lines_by_name(yaml.scan(text), source)
        values = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{source}:{mark.line + 1}" if mark else source
        raise UsageError(f"{where}: {getattr(error, 'problem', None) or 'this is not YAML'}") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise UsageError(f"{source}: a settings file holds 'name: value' lines")
    places = {name: f"{source}:{lines[name]}" if name in lines else source for name in values}
    return {name: setting(name, value, places[name]) for name, value in values.items()}


def _lines_by_name(tokens: Iterable[Any], source: str) -> dict[str, int]:
    """On which line each name stands. Refuses what makes a small YAML file slow or large, or hides a line of it.

    Raises:
        UsageError: an alias (nested ones grow to gigabytes), brackets nested deep, or a name given twice.
    """
    import yaml

    depth, before = 0, None
    lines: dict[str, int] = {}
    for token in tokens:
        if isinstance(token, yaml.AliasToken):
            raise UsageError(f"{source}: aliases (*name) are not allowed in a settings file")
        if isinstance(token, (yaml.FlowSequenceStartToken, yaml.FlowMappingStartToken)):
            depth += 1
            if depth > MAX_YAML_NESTING:
                raise UsageError(f"{source}: brackets are nested more than {MAX_YAML_NESTING} deep")
        elif isinstance(token, (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken)):
            depth -= 1
        elif isinstance(token, yaml.ScalarToken) and isinstance(before, yaml.KeyToken):
            line = token.start_mark.line + 1
            if token.value in lines:
                raise UsageError(f"{source}:{line}: {_shown(token.value)} is given twice")
            lines[token.value] = line
        before = token
    return lines
