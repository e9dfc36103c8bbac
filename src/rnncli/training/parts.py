"""The trainings of a run, one after the other: those that leave out a fold each, and then that of its model."""

from __future__ import annotations

from collections.abc import Iterator

from rnncli.tasks import task_named
from rnncli.training import arranging, folds, state
from rnncli.training.data import prepare
from rnncli.training.resuming import locked, refuse_diverged
from rnncli.training.session import Session
from rnncli.training.starting import fill, new_session


def parts(session: Session) -> Iterator[Session]:
    """The trainings that leave out a fold, and at last the session itself.

    Each is to be run to its end before the next one is asked for.

    Raises:
        RnncliError: of every kind.
    """
    scores, whole = session.state.progress.folds, False
    try:
        for number in range(1, session.folds + 1):
            if number > len(scores):
                part = _fold(session, number)
                yield part
                assert part.scores is not None
                scores.append(part.scores.fold)
                session.save_state()
            folds.put_away(session.folder, number, session.keep_folds)
        whole = True
        yield session
    finally:
        if not whole and session.lock is not None:
            session.lock.release()


def _fold(main: Session, number: int) -> Session:
    """The training that leaves out a fold: a new one, or where it was stopped.

    Raises:
        RnncliError: of every kind.
    """
    dataset = folds.dataset_of(arranging.without_test(main.dataset), main.folds, number)
    settings = main.settings.replace(keep_epochs=False)
    prepared, tested = prepare(task_named(settings.task), dataset, settings, main.begin)
    folder = folds.folder_of(main.folder, number)
    made = new_session(folder, dataset, prepared, main.files, tested)
    made.begin, made.of, made.fold = main.begin, main, number
    if not folder.state.exists():
        fill(made)
        made.folder = folds.made(main.folder, number, made.begin_in)
        return made
    with locked(folder) as lock:
        checkpoint = state.load(folder.state)
        refuse_diverged(main.folder, checkpoint)
        made.restore(checkpoint)
        made.lock = lock
    return made
