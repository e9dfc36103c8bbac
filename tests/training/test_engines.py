"""Which engine computes a training: chosen, kept with it, and the same when it goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import CELLS

import rnncli
from rnncli import model_file
from rnncli.config import Settings
from rnncli.core.cells import compiled
from rnncli.core.engine import library
from rnncli.data.dataset import Source
from rnncli.errors import UsageError
from rnncli.tasks.model import Model
from rnncli.training import engines, resuming, starting
from rnncli.training.session import Session

ENGINES = ("numpy",) if library.why_not() else ("numpy", "compiled")
HERE = ENGINES[-1]  # what "auto" is here
TINY: dict[str, Any] = {"hidden": 5, "embedding": 3, "min_count": 1, "validation": 0.25, "epochs": 2, "seed": 5}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "reviews.csv"
    rows = [f"{'very ' * (n % 4)}{'good' if n % 3 else 'bad'} film,{'pos' if n % 3 else 'neg'}\n" for n in range(24)]
    path.write_text("text,label\n" + "".join(rows))
    return path


def begin(data: Path, runs: Path, name: str = "run", **chosen: Any) -> Session:
    return starting.start(Source(str(data)), TINY | chosen, runs, name)


def finish(session: Session) -> Model:
    list(session.events())
    return Model.load(session.folder.model)


def test_auto_is_the_engine_that_is_here(data: Path, tmp_path: Path) -> None:
    session = begin(data, tmp_path)
    assert session.settings.engine == HERE
    assert session.engine.engine == HERE
    assert "engine: " + HERE in session.folder.config.read_text()
    assert finish(session).settings.engine == HERE


def test_without_a_library_numpy_trains_and_it_is_said_why(no_library: None, data: Path, tmp_path: Path) -> None:
    session = begin(data, tmp_path)
    assert session.settings.engine == "numpy"
    assert session.engine.in_words == "NumPy"  # and that of the program, before a training has chosen it:
    assert library.status().in_words == "NumPy; the compiled one cannot be used here: no compiler was found"


def test_the_compiled_engine_is_refused_where_it_is_not_before_data_are_read(no_library: None, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the compiled engine cannot be used here: no compiler was found"):
        begin(tmp_path / "none.csv", tmp_path, engine="compiled")
    with pytest.raises(UsageError, match="engine must be one of auto, numpy, compiled, not 'fast'"):
        rnncli.predict(["good"], model=tmp_path / "none", engine="fast")


@pytest.mark.parametrize("engine", ENGINES)
def test_only_the_engine_of_the_training_computes_it(
    engine: str, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the program computes with elsewhere, and whoever takes the events keeps his own."""
    seen = set()
    ask = library.library

    def spy() -> library.Library | None:
        found = ask()
        seen.add("numpy" if found is None else "compiled")
        return found

    monkeypatch.setattr(compiled, "library", spy)
    for elsewhere in ENGINES:
        with library.using(elsewhere):
            for _ in begin(data, tmp_path, f"in {elsewhere}", engine=engine).events():
                assert library.status().engine == elsewhere
    assert seen == {engine}


@pytest.mark.parametrize("cell", CELLS)
def test_either_engine_uses_what_the_other_has_trained(cell: str, data: Path, tmp_path: Path) -> None:
    texts = ["very good film", "bad", "very very bad film good"]
    for engine in ENGINES:
        path = begin(data, tmp_path, engine, engine=engine, cell=cell)
        finish(path)
        found = [rnncli.predict(texts, path.folder.model, engine=other) for other in ENGINES]
        first, other = ([one.probability for one in each] for each in (found[0], found[-1]))
        np.testing.assert_allclose(other, first, rtol=1e-5)
        assert [one.label for one in found[0]] == [one.label for one in found[-1]]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_resumed_training_keeps_its_engine(engine: str, data: Path, tmp_path: Path) -> None:
    finish(begin(data, tmp_path, engine=engine))
    for given in ({}, {"engine": "auto"}, {"engine": engine}):
        session = resuming.resume("run", tmp_path, given={"epochs": 3, **given})
        assert (session.settings.engine, session.unused) == (engine, ())
        assert session.lock is not None
        session.lock.release()
    other = "compiled" if engine == "numpy" else "numpy"
    with pytest.raises(UsageError, match=f"the training to resume has engine {engine}, not {other}"):
        resuming.resume("run", tmp_path, given={"engine": other})


def test_a_training_of_the_compiled_engine_is_not_resumed_without_it(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if its state came from a machine where the engine is."""
    finish(begin(data, tmp_path))
    set_start(tmp_path / "run" / "state.safetensors", settings={"engine": "compiled"})
    monkeypatch.setattr(library, "_loaded", lambda: "no compiler was found")
    with pytest.raises(
        UsageError, match="computed by the compiled engine, which cannot be used here: no compiler"
    ) as found:
        resuming.resume("run", tmp_path, given={"epochs": 3})
    assert f"rnncli train DATA --from {tmp_path / 'run'}" in str(found.value.hint)


def test_a_state_of_before_there_were_engines_goes_on_in_numpy(data: Path, tmp_path: Path) -> None:
    finish(begin(data, tmp_path, engine="numpy"))
    state = tmp_path / "run" / "state.safetensors"
    set_start(state, settings={"engine": None}, computed_by=None)
    session = resuming.resume("run", tmp_path, given={"epochs": 3})
    assert (session.settings.engine, session.unused) == ("numpy", ())
    finish(session)


def test_it_is_said_where_another_machine_may_come_to_other_bits(data: Path, tmp_path: Path) -> None:
    finish(begin(data, tmp_path, engine="numpy"))
    set_start(tmp_path / "run" / "state.safetensors", computed_by="NumPy, OpenBLAS Prescott")
    session = resuming.resume("run", tmp_path, given={"epochs": 3})
    (said,) = session.unused
    assert said.startswith(f"this training began on NumPy, OpenBLAS Prescott and goes on on {session.computed_by}: ")
    finish(session)


def test_a_library_that_turns_out_to_be_wrong_is_left_and_the_run_says_so(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if HERE == "numpy":
        assert library.library() is None
        return
    loaded = library.Library(Path(library.__file__).with_name(library.NAME))
    monkeypatch.setattr(library, "_loaded", lambda: loaded)
    session = begin(data, tmp_path)
    events = session.events()
    next(events)
    loaded.refused = "it does not compute what NumPy computes: a planted fault"
    list(events)
    assert session.settings.engine == Model.load(session.folder.model).settings.engine == "numpy"
    assert session.unused == (f"the training went on in NumPy: of the compiled engine, {loaded.refused}",)


def test_words_for_what_computes() -> None:
    with library.using("numpy"):
        assert engines.in_words().startswith("NumPy")
    assert engines.chosen_for(Settings(cell="gru", layers=2)) == HERE


def set_start(path: Path, settings: dict[str, Any] | None = None, **fields: Any) -> None:
    """Changes what a saved state says of the training's beginning; None takes a field away."""
    manifest, tensors = model_file.load(path)
    for of, changes in ((manifest["context"]["settings"], settings or {}), (manifest["context"], fields)):
        for name, value in changes.items():
            of.pop(name)
            of.update({} if value is None else {name: value})
    model_file.save(path, manifest, tensors)
