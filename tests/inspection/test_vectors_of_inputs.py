"""What a network reads an input as: for every task the vector that its definition says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from inspection.models import TEXTS, model

from rnncli.core.packed import PackedSequence

READ_OUT = ("words", "onehot", "numbers", "several", "regress", "forecast")


@pytest.mark.parametrize("kind", TEXTS)
def test_of_every_task(kind: str) -> None:
    made: Any = model(kind)
    text = TEXTS[kind]
    # The order of other inputs, and an empty one among them, change nothing.
    texts = [text] if kind == "caption" else [text, "", text]
    found = made.vectors(texts)
    assert found.shape == (len(texts), made.vector_size)
    assert found[-1] == pytest.approx(found[0], rel=1e-6)
    if kind != "caption":
        assert np.isnan(found[1]).all()
    network = made.network
    if kind in READ_OUT:
        encoded = made.read(text).values
        output = made.params["output"]
        logits = found[0] @ output["weight"] + output["bias"]
        assert logits == pytest.approx(network.logits(made.params, [encoded])[0], rel=1e-5, abs=1e-6)
    elif kind == "tag":
        forms, views = made.encode([text.split()])
        hidden = network.forward(made.params, PackedSequence.pack(forms), views)[1]
        assert found[0] == pytest.approx(hidden.mean(axis=0), abs=1e-6)
    elif kind == "lm":
        hidden = network.forward(made.params, PackedSequence.pack([made.encode(text)]), network.zero_states(1))[1]
        assert found[0] == pytest.approx(hidden[-1], abs=1e-6)
    else:
        start = network.start(made.params, [made.read(text)])
        assert found[0] == pytest.approx(start.states[-1][0][0], abs=1e-6)
        assert made.vector_size == network.decoder.hidden
