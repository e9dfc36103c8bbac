"""The help of every command: read at 80 columns, and complete by the tables that it is made from."""

from __future__ import annotations

import pytest

from rnncli.cli.app import COMMANDS
from rnncli.config import TASKS
from rnncli.data.formats.registry import FORMATS


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_into_80_columns(cli, command):
    cli.at_terminal(80)
    lines = cli.works(*command.split(), "--help").out.splitlines()
    assert [line for line in lines if len(line) > 80] == []
    assert lines[0].startswith(f"Usage: rnncli {command}")


@pytest.mark.parametrize(("command", "what"), [("train", "learns"), ("evaluate", "scores")])
def test_tasks_and_formats_are_named_from_their_tables(cli, stand_in_task, command, what):
    shown = cli.works(command, "--help").out
    rows = {line.split()[0]: line for line in shown.splitlines() if line.startswith("  ") and line.strip()}
    assert "stars" in TASKS
    for name, row in TASKS.items():
        assert rows[name].split(maxsplit=1)[1] == getattr(row, what)
    for name, format in FORMATS.items():
        assert rows[name].split(maxsplit=1)[1] == (", ".join(format.suffixes) or "only with --format")
