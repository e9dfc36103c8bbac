"""Train, use and open up small recurrent networks.

import rnncli

model = rnncli.train("reviews.csv", cell="gru")
model.predict(["movie was good"])[0].label
"""

__version__ = "0.1.0"
__all__ = [
    "compare",
    "describe",
    "evaluate",
    "inspect",
    "list_runs",
    "load",
    "predict",
    "remove_runs",
    "samples",
    "tokenize",
    "train",
]

# Type checkers know the names. To import them would take as long as the interpreter's own start, and until __main__ is
# reached Ctrl-C brings a traceback; so nothing is imported here, not even __future__, which is a file too.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rnncli.cli.arguments.inputs import load
    from rnncli.cli.compare import compare
    from rnncli.cli.describe import describe
    from rnncli.cli.evaluate import evaluate
    from rnncli.cli.inspect import inspect
    from rnncli.cli.predict import predict
    from rnncli.cli.runs import list_runs, remove_runs
    from rnncli.cli.samples import samples
    from rnncli.cli.tokenize import tokenize
    from rnncli.cli.train import train


def __getattr__(name: str) -> "Any":
    # `rnncli --help` imports this package too, and must not wait for NumPy.
    if name in __all__:
        from importlib import import_module

        elsewhere = {"load": "arguments.inputs", "list_runs": "runs", "remove_runs": "runs"}
        return getattr(import_module(f"rnncli.cli.{elsewhere.get(name, name)}"), name)
    raise AttributeError(f"module 'rnncli' has no attribute '{name}'")


def __dir__() -> "list[str]":
    return sorted({*globals(), *__all__})
