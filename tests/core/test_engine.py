"""How the compiled engine is found, loaded and refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnncli.core.engine import library


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An installation that has no compiled library."""
    monkeypatch.setattr(library, "_loaded", lambda: library.Status("numpy", None, "no compiler").why_not)


def test_without_a_library_numpy_computes_and_it_is_said_why(without: None) -> None:
    with library.using("auto"):
        assert library.library() is None
        assert library.status() == ("numpy", None, "no compiler")
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
        assert library.status() == ("numpy", None, "NumPy was asked for")
    assert library.status() == before
