"""The settings of a training: one frozen value, checked when it is made, read from YAML and written to it."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypedDict, get_args, get_origin, get_type_hints

from rnncli.errors import UsageError, closest


class TaskRow(NamedTuple):
    """A row of the table of tasks.

    Attributes:
        package: where the task is.
        learns: what a model of it goes from and to, for the help of ``train``.
        scores: what its models are judged by, for the help of ``evaluate``.
    """

    package: str
    learns: str
    scores: str


# In the order in which tasks are asked whether a file is for them: the last one takes what is left.
TASKS = {
    "lm": TaskRow("rnncli.tasks.language_model", "a text -> how it goes on", "perplexity, bits per token"),
    "caption": TaskRow("rnncli.tasks.caption", "numbers -> the text that describes them", "exact match, error rate"),
    "tag": TaskRow("rnncli.tasks.tag", "a text -> a tag for each word", "accuracy, F1 by tag, F1 of spans"),
    "multilabel": TaskRow(
        "rnncli.tasks.multilabel",
        "a text or series -> any number of labels",
        "micro and macro F1, F1 by label, exact match",
    ),
    "seq2seq": TaskRow("rnncli.tasks.seq2seq", "a text -> another text", "exact match, error rate"),
    "regress": TaskRow(
        "rnncli.tasks.regress", "a text, series or row -> a number", "MAE, RMSE, beside simple predictions"
    ),
    "forecast": TaskRow("rnncli.tasks.forecast", "a series -> its next values", "MAE, RMSE, for each step ahead"),
    "classify": TaskRow(
        "rnncli.tasks.classify", "a text or series -> a label", "accuracy, F1 by label, confusion matrix"
    ),
}

# A settings file larger than this is not one, and would take seconds to parse.
MAX_YAML_BYTES = 100_000
# Brackets in brackets: settings have none, and each level makes the YAML scanner slower.
MAX_YAML_NESTING = 10


def _setting(default: Any, help: str, **metadata: Any) -> Any:
    return dataclasses.field(default=default, metadata={"help": help, **metadata})


def _number(
    default: float | None, low: float, high: float, help: str, *, above: bool = False, below: bool = False, **more: Any
) -> Any:
    """A setting from ``low`` to ``high``; greater than ``low`` if ``above``, less than ``high`` if ``below``."""
    return _setting(default, help, low=low, high=high, open_low=above, open_high=below, **more)


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
Engine = Literal["auto", "numpy", "compiled"]


@dataclass(frozen=True)
class Settings:
    """Everything that decides what a training does; each field is also an option of ``rnncli train``.

    Raises:
        UsageError: a value is not of its type or out of its range.
    """

    task: Literal[("auto", *TASKS)] = _setting("auto", "task; some have defaults of their own")  # type: ignore[valid-type]

    # The model
    cell: Cell = _setting("lstm", "recurrent cell")
    nonlinearity: Nonlinearity = _setting("tanh", "nonlinearity of the plain RNN")
    hidden: int = _number(64, 1, 65_536, "hidden units per direction")
    layers: int = _number(1, 1, 16, "stacked recurrent layers")
    bidirectional: bool = _setting(True, "read in both directions")
    readout: Readout = _setting("max", "how a classifier combines the outputs of all timesteps")
    input: Input = _setting("embedding", "learned embeddings, or one-hot vectors")
    embedding: int = _number(100, 1, 65_536, "size of a learned embedding")
    embedding_scale: float = _number(0.1, 0, 100, "standard deviation of the initial embeddings", above=True)
    vectors: str | None = _setting(
        None, "pretrained word vectors in GloVe's or fastText's text format", metavar="FILE", absent="none"
    )
    freeze: bool = _setting(False, "do not train the given word vectors")
    attention: bool = _setting(True, "the decoder attends to its source")
    inject: Inject = _setting(
        "start", "where the numbers of a caption enter the decoder: in its initial state, or in every step as well"
    )
    bias: bool = _setting(True, "bias terms in the cells and the output layer")
    initializer: Initializer = _setting("orthogonal", "initial weights; uniform, up to 1/sqrt(hidden), as in PyTorch")
    dropout: float = _number(0.5, 0, 1, "dropout rate during training", below=True)

    # The data
    tokens: TokenUnit = _setting("auto", "what a timestep is; white space separates symbols")
    lowercase: bool = _setting(True, "fold case")
    normalize: bool = _setting(True, "compose accents (Unicode NFC)")
    min_count: int = _number(2, 1, 2**31, "rarer tokens become <unk>")
    max_vocabulary: int = _number(10_000, 1, 10_000_000, "largest size of the vocabulary")
    max_length: int = _number(256, 1, 1_000_000, "most tokens read of a text; of a longer one the middle is skipped")
    validation: float | str = _number(
        0.1,
        0,
        0.9,
        "file of the validation rows, or share of the rows that is set aside; 0 for none",
        metavar="FILE|SHARE",
    )

    horizon: int = _number(1, 1, 10_000, "how many values that follow a series are forecast")
    window: int | None = _number(
        None, 1, 100_000, "timesteps of a series that a forecast, or a number of a row, is made from; auto: two seasons"
    )
    season: int | None = _number(
        None, 1, 10_000, "timesteps after which a series repeats; 1 for none; auto: by its autocorrelation"
    )

    # The training
    optimizer: Optimizer = _setting("adamw", "optimizer")
    lr: float = _number(0.005, 0, 1e9, "learning rate", above=True)
    schedule: Schedule = _setting("linear", "how the learning rate falls")
    warmup: int = _number(0, 0, 10**9, "steps over which the learning rate rises at first")
    momentum: float = _number(0.9, 0, 1, "momentum of the optimizer momentum", below=True)
    weight_decay: float = _number(0.03, 0, 1, "weight decay of the optimizer adamw")
    clip: float | None = _number(
        1.0, 0, math.inf, "largest norm of a gradient; a larger one is scaled down; none for no limit", above=True
    )
    batch: int = _number(32, 1, 1_000_000, "sequences per step")
    epochs: int | None = _number(None, 0, 1_000_000, "passes over the data; auto: by its size")
    patience: int | None = _number(
        None, 1, 1_000_000, "epochs without a better score before training stops; auto: half of all, at least 5"
    )
    workers: int | None = _number(None, 1, 64, "number of processes; auto: all cores where that is faster")
    engine: Engine = _setting("auto", "what computes: C that was compiled when rnncli was installed, or NumPy")
    keep_epochs: bool = _setting(False, "keep the model of every epoch too, as RUN@EPOCH; 0 is the untrained one")
    class_weights: ClassWeights = _setting("none", "extra weight for rare labels")
    seed: int = _number(0, 0, 2**128 - 1, "seed of all random numbers")
    dtype: Precision = _setting("float32", "precision")

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            object.__setattr__(self, field.name, _checked(field.name, getattr(self, field.name)))

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], source: str = "settings") -> Settings:
        """Settings from names and values; ``source`` names them in messages.

        Raises:
            UsageError: a name is not a setting, or a value is not possible.
        """
        for name in values:
            known_name(name, source)
        return cls(**values)

    @property
    def validation_file(self) -> str | None:
        """The file of the validation rows; None where a share of the rows is set aside, or none are."""
        return self.validation if isinstance(self.validation, str) else None

    @property
    def validation_share(self) -> float:
        """The share of the rows that is set aside for validation; 0 where they come from a file."""
        return 0.0 if isinstance(self.validation, str) else self.validation

    def as_dict(self) -> dict[str, Any]:
        """Plain values by name, in the order of definition."""
        return dataclasses.asdict(self)

    def to_yaml(self) -> str:
        """A settings file that gives these settings back."""
        import yaml

        return str(yaml.safe_dump(self.as_dict(), sort_keys=False, allow_unicode=True))

    def replace(self, **changes: Any) -> Settings:
        return dataclasses.replace(self, **changes)


# Settings as keyword arguments, none of which has to be there: type checkers cannot read them off a dataclass. A test
# holds names and types to the fields of Settings.
SettingsDict = TypedDict("SettingsDict", {  # noqa: UP013
    "task": str, "cell": Cell, "nonlinearity": Nonlinearity, "hidden": int, "layers": int, "bidirectional": bool,
    "readout": Readout, "input": Input, "embedding": int, "embedding_scale": float, "vectors": str | None,
    "freeze": bool, "attention": bool, "inject": Inject, "bias": bool, "initializer": Initializer, "dropout": float,
    "tokens": TokenUnit, "lowercase": bool, "normalize": bool, "min_count": int, "max_vocabulary": int,
    "max_length": int, "validation": float | str, "optimizer": Optimizer, "lr": float, "schedule": Schedule,
    "warmup": int, "momentum": float, "weight_decay": float, "clip": float | None, "batch": int, "epochs": int | None,
    "patience": int | None, "workers": int | None, "keep_epochs": bool, "class_weights": ClassWeights, "seed": int,
    "dtype": Precision, "engine": Engine, "horizon": int, "window": int | None, "season": int | None,
}, total=False)  # fmt: skip


_TYPES = get_type_hints(Settings)
_METADATA = {field.name: field.metadata for field in dataclasses.fields(Settings)}
SETTING_NAMES = tuple(_TYPES)


def known_name(name: object, source: str) -> None:
    """Raises UsageError, with the closest setting there is, where a key is none."""
    if name not in SETTING_NAMES:
        near = closest(name, SETTING_NAMES) if isinstance(name, str) else ""
        raise UsageError(f"{source}: {_shown(name)} is not a setting{near}")


def setting(name: str, value: Any, source: str) -> Any:
    """Returns a setting's value from a file or the environment, checked; a text means what it means as an option.

    Raises:
        UsageError: ``source`` has no such setting, or the value is not possible.
    """
    known_name(name, source)
    try:
        parsed = parse(name, value) if isinstance(value, str) else value
        return _checked(name, parsed)
    except UsageError as error:
        raise UsageError(f"{source}: {error.message}", error.hint) from None


def parse(name: str, text: str) -> Any:
    """Reads a setting's value from a text.

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
            if _may_be_text(kind) and text:
                return text
            raise UsageError(f"{name} must be {_article(base)}, not {_shown(text)}") from None
    return text


def _checked(name: str, value: Any) -> Any:
    """Returns the value in the setting's own type; raises UsageError where it has another type or is out of range."""
    kind, metadata = _TYPES[name], _METADATA[name]
    if value is None and _optional(kind):
        return None
    base = str if isinstance(value, str) and value and _may_be_text(kind) else _base(kind)
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
    if "low" in metadata and base is not str and not _inside(value, metadata):
        raise UsageError(f"{name} must be {_range_words(metadata)}, not {_shown(value)}")
    return value


def _inside(value: Any, allowed: Mapping[str, Any]) -> bool:
    if isinstance(value, float) and not math.isfinite(value):
        return False
    above = value > allowed["low"] if allowed["open_low"] else value >= allowed["low"]
    below = value < allowed["high"] if allowed["open_high"] else value <= allowed["high"]
    return bool(above and below)


def _range_words(allowed: Mapping[str, Any]) -> str:
    low = f"above {allowed['low']:g}" if allowed["open_low"] else f"at least {allowed['low']:g}"
    if math.isinf(allowed["high"]):
        return f"{low} and finite"
    if allowed["open_high"]:
        return f"{low} and below {allowed['high']:g}"
    return f"{low} and at most {allowed['high']:{',' if isinstance(allowed['high'], int) else 'g'}}"


def _shown(value: object) -> str:
    """A refused value in a message; a text in quotes, and nothing long."""
    try:
        text = str(value)
    except ValueError:  # Python writes no integer of more than 4,300 digits
        return "a number of thousands of digits"
    short = text if len(text) <= 60 else f"{text[:59]}…"
    return short if isinstance(value, (int, float)) and not isinstance(value, bool) else f"'{short}'"


def _optional(kind: Any) -> bool:
    return type(None) in get_args(kind)


def _may_be_text(kind: Any) -> bool:
    """Whether a text, such as the name of a file, is one of the values of a setting."""
    return kind is str or (get_origin(kind) is not Literal and str in get_args(kind))


def _base(kind: Any) -> Any:
    """The first type of several that is not None."""
    if get_origin(kind) is Literal or not get_args(kind):
        return kind
    return next(part for part in get_args(kind) if part is not type(None))


def _article(base: type) -> str:
    names = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}
    return names.get(base, base.__name__)


def settings_of_file(path: str) -> dict[str, Any]:
    """Reads a settings file: its values by name.

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
    """Returns on which line each name stands, and refuses what makes a small YAML file slow or large, or hides a line.

    Raises UsageError: an alias (nested ones grow to gigabytes), brackets nested deep, or a name given twice.
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
