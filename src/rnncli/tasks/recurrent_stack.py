"""The recurrent layers that settings describe, whatever they are a part of."""

from __future__ import annotations

from rnncli.config import Settings
from rnncli.core.cells.named import cell_named
from rnncli.core.layers.stack import Stack, recurrent_stack


def stack_of(
    settings: Settings, input_size: int, hidden: int | None = None, bidirectional: bool | None = None
) -> Stack:
    """Recurrent layers over so many numbers; ``hidden`` and ``bidirectional`` where not as in the settings."""
    return recurrent_stack(
        settings.cell,
        input_size=input_size,
        hidden_size=settings.hidden if hidden is None else hidden,
        layers=settings.layers,
        bidirectional=settings.bidirectional if bidirectional is None else bidirectional,
        bias=settings.bias,
        dropout=settings.dropout,
        **{name: getattr(settings, name) for name in cell_named(settings.cell).options()},
    )


def shapes_of(
    settings: Settings, prefix: str, input_size: int, hidden: int | None = None, bidirectional: bool | None = None
) -> dict[str, tuple[int, ...]]:
    """Name → shape of every parameter of :func:`stack_of`, each name behind ``prefix/``."""
    inside = stack_of(settings, input_size, hidden, bidirectional).shapes()
    return {f"{prefix}/{name}": shape for name, shape in inside.items()}
