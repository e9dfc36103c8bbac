"""How the compiled engine is found, loaded and refused."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import time_limit

from rnncli.core.cells import compiled
from rnncli.core.cells.gru import GRU
from rnncli.core.cells.lstm import LSTM
from rnncli.core.engine import library, steps
from rnncli.core.threads import side_by_side

pytestmark = pytest.mark.engines("numpy")  # each test says which it uses


def test_where_a_compiler_is_found_the_engine_is_compiled() -> None:
    """Tests of the compiled engine are left out where there is none: not for a reason that nobody sees."""
    compiler = shlex.split(os.environ.get("CC") or "cc")
    forbidden = sys.platform == "win32" or os.environ.get("HATCH_BUILD_NO_HOOKS") == "true"
    try:
        works = subprocess.run([*compiler, "--version"], capture_output=True, check=False).returncode == 0
    except OSError:
        works = False
    why_not = library.why_not()
    assert why_not is None or not works or forbidden, f"{compiler[0]} is here, but {why_not}: python hatch_build.py"


def test_without_a_library_numpy_computes_and_it_is_said_why(no_library: None) -> None:
    with library.using("auto"):
        assert library.library() is None
        assert library.status() == ("numpy", None, "no compiler was found")
        assert library.status().in_words == "NumPy; the compiled one cannot be used here: no compiler was found"
    with pytest.raises(OSError, match="no compiler"):
        library.use("compiled")


def test_a_file_that_is_no_library_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="not compiled when rnncli was installed"):
        library.Library(tmp_path / "none.so")
    (tmp_path / "text.so").write_text("no library")
    with pytest.raises(OSError, match="the system does not load it"):
        library.Library(tmp_path / "text.so")


def test_an_engine_is_used_inside_only() -> None:
    before = library.status()
    with library.using("numpy"):
        assert library.status() == ("numpy", None, None)
        assert library.status().in_words == "NumPy"
    assert library.status() == before


def test_another_thread_keeps_its_engine_and_that_of_side_by_side_has_its_caller_s() -> None:
    with library.using("numpy"):
        with ThreadPoolExecutor(1) as other:
            assert other.submit(library.status).result() == outside()
        assert side_by_side(library.status, library.status) == (library.Status("numpy", None, None),) * 2


def outside() -> library.Status:
    with library.using("auto"):
        return library.status()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_library_that_computes_something_else_is_not_used(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted fault is as large as the tolerances let through, and half as much again."""
    path = Path(library.__file__).with_name(library.NAME)
    if library.why_not() is not None:
        with pytest.raises(OSError, match=r"\w"):
            library.Library(path)
        return
    loaded = library.Library(path)
    monkeypatch.setattr(library, "_loaded", lambda: loaded)
    right = compiled._backward

    def wrong(*arguments: Any) -> Any:
        dx, dstate, grads = right(*arguments)
        return dx, dstate, grads | {"bias": grads["bias"] * (1 + 1.5 * compiled.TOLERANCES[dtype])}

    with library.using("auto"):
        assert compiled._engine(LSTM(3, 4), np.dtype(dtype)) is loaded
        monkeypatch.setattr(compiled, "_backward", wrong)
        assert compiled._engine(LSTM(3, 4, bias=True), np.dtype(dtype)) is loaded  # a case is tested once
        loaded._agreed.clear()
        assert compiled._engine(LSTM(3, 4), np.dtype(dtype)) is None
        assert library.library() is None
        assert "does not compute what NumPy computes" in str(library.status().why_not)


def test_a_function_that_the_library_lacks_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    if library.why_not() is not None:
        assert library.status().engine == "numpy"
        return
    loaded = library.Library(Path(library.__file__).with_name(library.NAME))
    assert not loaded.agrees("case", lambda: loaded.function("lacking", np.dtype("float32")) is None)
    assert "lacking" in str(loaded.refused)


def test_the_test_of_one_case_may_ask_for_that_of_another() -> None:
    path = Path(library.__file__).with_name(library.NAME)
    if library.why_not() is not None:
        assert library.library() is None
        return
    loaded = library.Library(path)
    assert loaded.agrees("cell", lambda: loaded.agrees("rows", lambda: True))
    assert not loaded.agrees("other cell", lambda: loaded.agrees("other rows", lambda: False))
    assert loaded.refused == "it does not compute what NumPy computes: other rows"


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_first_thing_a_process_does_may_be_the_test_of_a_cell(
    monkeypatch: pytest.MonkeyPatch, dtype: type, keep: bool
) -> None:
    """It calls functions that are then tested themselves, within it."""
    if library.why_not() is not None:
        return
    loaded = library.Library(Path(library.__file__).with_name(library.NAME))
    monkeypatch.setattr(library, "_loaded", lambda: loaded)
    with library.using("compiled"), time_limit(20):
        assert compiled._engine(LSTM(3, 4), np.dtype(dtype), keep) is loaded


def test_a_prediction_is_tested_without_a_backward_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """And with what training does not call."""
    if library.why_not() is not None:
        return
    loaded = library.Library(Path(library.__file__).with_name(library.NAME))
    monkeypatch.setattr(library, "_loaded", lambda: loaded)
    product = steps.product
    monkeypatch.setattr(compiled, "_backward", lambda *_: pytest.fail("a backward pass"))
    with library.using("auto"):
        assert compiled._engine(LSTM(3, 4), np.dtype(np.float32), False) is loaded
        monkeypatch.setattr(steps, "product", lambda *arguments: product(*arguments) * np.float32(1.001))
        assert compiled._engine(GRU(3, 4), np.dtype(np.float32), False) is None
