"""Many-to-one on windows: the next values of a series."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rnncli.config import Settings
from rnncli.core.packed import Array
from rnncli.data.records import NumberArrays, SeriesArrays
from rnncli.data.records.ragged import Ragged
from rnncli.data.tables.series_form import SeriesForm
from rnncli.errors import DataError, counted
from rnncli.memory import require_room
from rnncli.tasks.comparison import Baseline
from rnncli.tasks.forecast.inputs import SeriesInput
from rnncli.tasks.forecast.model import MOST_KEPT, ForecastModel, flat, simple_forecasts
from rnncli.tasks.least_squares import Ridge, too_large
from rnncli.tasks.many_to_one.network import Examples
from rnncli.tasks.many_to_one.numbers import require_width
from rnncli.tasks.numbers.model import amounts_of
from rnncli.tasks.numbers.targets import number_report, standardised
from rnncli.tasks.prepare import Prepared, in_time, require_memory
from rnncli.tasks.report import skipped_warning, spread, spread_words
from rnncli.tasks.seasons import Season, guess_season
from rnncli.tasks.task import Task
from rnncli.tasks.windows import Windows, usual_window

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset


class Forecasting(Task):
    """The task of series that go on."""

    model = ForecastModel
    recognized_by = "a series, whose next values are to be predicted"
    continues = True

    def fits(self, dataset: Dataset) -> bool:
        return isinstance(dataset.inputs, SeriesArrays)

    def defaults(self, dataset: Dataset, settings: Settings) -> Mapping[str, Any]:
        """A window ends where its forecast begins, and has few numbers: it is read in their order, without dropout."""
        return {"hidden": 32, "dropout": 0.0, "bidirectional": False, "readout": "last"}

    def prepare(self, dataset: Dataset, settings: Settings, begin: ForecastModel | None = None) -> Prepared:
        series = dataset.inputs
        if not isinstance(series, SeriesArrays):
            raise DataError(f"{dataset.name}: a forecast needs a series with a row for each timestep")
        if dataset.reads is None and int(series.widths.max()) > 1:
            several = f"a timestep has {int(series.widths.max())} numbers"
            raise DataError(
                f"{dataset.name}: {several}, and it is not said which one is to be forecast",
                "write the series as a table with a row for each timestep, and name its column: --label COLUMN",
            )
        values = [one.reshape(len(one), -1)[:, 0] for one in series]
        season, named = _season(values, settings), settings.season is not None
        length = settings.window or usual_window(max(map(len, values)), season.length, settings.horizon)
        windows = Windows(length, settings.horizon)
        settings = settings.replace(window=length, season=season.length, max_length=length)
        cut = windows.cut(dataset, chosen=begin is None)
        rows = in_time(dataset, settings, cut.series, settings.horizon)
        numbers = cut.dataset.inputs
        assert isinstance(numbers, NumberArrays)
        width = int(numbers.widths[0])
        room = 24 * len(numbers) * length * width
        require_room(room, f"{len(numbers):,} windows", "take a shorter --window, or fewer rows")
        raw = numbers.ragged(width).joined().reshape(-1, length, width)
        truth = amounts_of(cut.dataset)
        relative = truth - raw[:, -1, :1]
        if begin is None:
            if (truth == truth[0, 0]).all() and (raw[:, :, 0] == truth[0, 0]).all():
                raise DataError(f"{dataset.name}: there is nothing to learn, every value is {truth[0, 0]:g}")
            input, constant = SeriesInput.of_windows(raw[rows.train], 0)
        else:
            input, constant = begin.input, 0
            require_width(begin, width)
        fields, targets = standardised({}, relative, rows.train, begin)
        try:
            read = input.windows(raw, settings.dtype)
        except ValueError as error:
            raise DataError(f"{dataset.name}: the series {error}") from None
        linear = None
        if len(rows.train) and not too_large(len(rows.train), length * width):
            linear = Ridge.fit(flat(read[rows.train]), targets[rows.train])
        shown = int(rows.looked_at[0])
        untrained = ForecastModel(
            settings=settings,
            input=input,
            example=cut.dataset.inputs.text(shown),
            series=dataset.reads if isinstance(dataset.reads, SeriesForm) else None,
            target=dataset.source.label or "",
            center=fields["center"],
            deviation=fields["deviation"],
            linear=linear if linear is None or linear.weights.size <= MOST_KEPT else None,
        )
        require_memory(untrained.network, length, room)
        lengths = np.full(len(read), length, np.int64)
        whole = Examples(Ragged.of(read.reshape(-1, width), lengths), targets)
        train, validation = whole.take(rows.train), whole.take(rows.validation)
        own = np.array(list(map(len, values)))
        left_out = len(read) - len(train) - len(validation)
        between = (
            f"; {counted(left_out, 'window')} between them, which would share values, left out" if left_out else ""
        )
        report = number_report(
            np.concatenate(values),
            {
                "series": len(values),
                "lengths": spread(own),
                "window": length,
                "horizon": settings.horizon,
                "season": season.length,
                "features": width,
                "constant": constant,
                "left_out": left_out,
            },
            [
                ("series", f"{counted(len(values), 'series', 'series')}, {spread_words(spread(own), 'timestep')}"),
                ("window", f"{counted(length, 'timestep')}, to forecast {counted(settings.horizon, 'value')}{between}"),
                ("season", _season_words(season, named)),
            ],
            what="A forecast",
            warnings=skipped_warning(dataset),
            row="window",
            **rows.sizes,
        )

        def baselines() -> tuple[Baseline, ...]:
            aside = rows.validation
            network = untrained.network
            simple = simple_forecasts(raw[aside], 0, season.length, settings.horizon)
            found = {name: network.standardised(values) for name, values in simple.items()}
            if linear is not None:
                found["linear_model"] = linear.predict(flat(read[aside]))
            return tuple(Baseline(name, network.judged(one, targets[aside])) for name, one in found.items())

        return Prepared(untrained, train, validation, report, baselines=baselines)


def _season(values: list[Array], settings: Settings) -> Season:
    """As the settings say, or guessed by the part of the series that is for training."""
    if settings.season is not None:
        return Season(settings.season, 0.0)
    learned = [one[: len(one) - int(settings.validation_share * len(one))] for one in values]
    return guess_season(learned) or Season(1, 0.0)


def _season_words(season: Season, named: bool) -> str:
    if season.length == 1:
        return "none" if named else "none is clear; name one with --season"
    found = "" if named else f" (autocorrelation {season.correlation:.2f}); change with --season"
    return f"{counted(season.length, 'timestep')}{found}"


TASK = Forecasting()
