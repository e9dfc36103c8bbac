"""Train, use and open up small recurrent networks.

import rnncli

model = rnncli.train("reviews.csv", cell="gru")
model.predict(["movie was good"])[0].label
"""

__version__ = "0.1.0"
__all__ = ["load", "train"]

# Type checkers know the name. To import it would take as long as the interpreter's own start, and until __main__ is
# reached Ctrl-C brings a traceback; so nothing is imported here, not even __future__, which is a file too.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rnncli.api import load, train


def __getattr__(name: str) -> "Any":
    # `rnncli --help` imports this package too, and must not wait for NumPy.
    if name in __all__:
        from rnncli import api

        return getattr(api, name)
    raise AttributeError(f"module 'rnncli' has no attribute '{name}'")
