"""The model itself, where nothing else is asked for: its layers, its parameters and its training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnncli.cli.views.view import Look, Shown, View

if TYPE_CHECKING:
    from rnncli.cli.views.view import Part

EPOCHS_ON_A_SCREEN = 12


def draw(look: Look) -> Shown:
    """Shows what the model is, every parameter, and the training record."""
    from rnncli.cli import model_tables as tables

    model, record, path = look.model, look.model.record, str(look.path or look.name)
    on_a_screen = look.fits is not None
    epochs = tables.record_view(record.epochs, EPOCHS_ON_A_SCREEN if on_a_screen else None, record.best_epoch)
    parts: list[Part | tuple[Part, ...]] = [tables.model_pairs(model, path), tables.layers_view(model)]
    if epochs.rows:
        curves = tables.record_curves(record.epochs) if on_a_screen else []
        parts.append((epochs, curves) if curves else epochs)
    return Shown(
        parts,
        {
            "model": path,
            "task": model.task,
            **model.facts(),
            "settings": model.settings.as_dict(),
            "layers": [{"name": name, "shape": shape} for name, shape in model.network.shapes().items()],
            "record": record,
            "example": model.example,
        },
    )


VIEW = View(name="model", flags=(), help="", draw=draw, text=False, answer=False)
