"""The pages of docs: their files are written, their commands run, and what they print is what the page shows.

A block ```` ```csv reviews.csv ```` is the content of a file; a block ``console`` has commands and what a terminal of
80 columns shows, in which a line ``…`` stands for any lines.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
SHOWN = ["data.md", "series.md"]
OWN = ["rows.md", "columns.md"]  # their commands have tests of their own, and those of the README
# The files of pages whose commands train: how much, and what they print, is not on the page.
PASSENGERS = "".join(f"{1949 + k // 12}-{k % 12 + 1:02},{100 + k + 20 * (k % 12 == 6)}\n" for k in range(60))
RATED = "".join(f"{word} room {k},{k % 4}.5\n" for k in range(8) for word in ("small", "large", "light"))
TABLE = "".join(f"2026-01-{k + 1:02},{k % 5},{k % 7},{k % 5 + k % 7}.5\n" for k in range(31))
TEXTS = "".join(f"{k},so {word} {k},{label}\n" for k in range(10) for word, label in (("good", "yes"), ("bad", "no")))
TRAINED = {
    "answers.md": {"new.csv": f"id,text,label\n{TEXTS}"},
    "forecasting.md": {
        "passengers.csv": f"month,passengers\n{PASSENGERS}",
        "rated.csv": f"text,price\n{RATED}",
        "table.csv": f"date,a,b,target\n{TABLE}",
    },
}


def content(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def commands(page: str) -> list[tuple[str, list[str]]]:
    """Each command of the blocks ``console`` with the lines that the page shows below it."""
    found = []
    for block in re.findall(r"^```console\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *lines = part.rstrip("\n").split("\n")
            found.append((command, lines))
    return found


def runs(lines: list[str]) -> list[list[str]]:
    """The lines between those that only say ``…``."""
    parts: list[list[str]] = [[]]
    for line in lines:
        if line == "…":
            parts.append([])
        else:
            parts[-1].append(line)
    return [part for part in parts if part]


@pytest.mark.parametrize("name", SHOWN)
def test_a_page_shows_what_its_commands_print(cli, name):
    page = content(f"docs/{name}")
    for file, text in re.findall(r"^```\w+ (\S+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        (cli.folder / file).parent.mkdir(parents=True, exist_ok=True)
        cli.write(file, text)
    cli.at_terminal(80)
    assert commands(page)
    for command, lines in commands(page):
        program, *words = shlex.split(command)
        assert program == "rnncli"
        done = cli(*words)
        refused = any(line.startswith("rnncli: ") for line in lines)
        assert done.code == (3 if refused else 0), (command, done.err)
        printed, at = [line.rstrip() for line in (done.out + done.err).rstrip("\n").split("\n")], 0
        for part in runs(lines):
            size = len(part)
            where = [k for k in range(at, len(printed) - size + 1) if printed[k : k + size] == part]
            assert where, "\n".join([command, *part, "is not in", *printed[at:]])
            at = where[0] + size
        assert "…" in lines or at == len(printed), command


@pytest.mark.parametrize("name", TRAINED)
def test_the_commands_of_a_page_work(cli, name):
    for file, text in TRAINED[name].items():
        cli.write(file, text)
    small = ["--hidden", "4", "--epochs", "2", "--workers", "1"]
    if "new.csv" in TRAINED[name]:
        cli.works("train", "new.csv", *small)
    found = commands(content(f"docs/{name}"))
    assert found
    for command, _ in found:
        _, *words = shlex.split(command, comments=True)
        cli.works(*words, *(small if words[0] == "train" else []))
        for option in {"-o", "--vectors"} & {*words}:
            assert (cli.folder / words[words.index(option) + 1]).exists()


def test_every_page_with_commands_is_run():
    pages = [Path(page).name for page in PAGES if commands(content(page))]
    assert sorted(pages) == sorted([*SHOWN, *OWN, *TRAINED, "README.md"])


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_a_page_names_has_these_options(page):
    from rnncli.cli.app import COMMANDS, app

    text = content(page)
    blocks = "\n".join(re.findall(r"^```(?:console|sh)?\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    named = re.findall(r"(?:^\$ |^)rnncli (.*?)(?:  .*)?$", blocks, re.MULTILINE)
    named += re.findall(r"`(?:[^`\n]*\| )?rnncli (\w[^`\n]*)`", text)
    program = typer.main.get_command(app)
    for line in named:
        words = shlex.split(line.partition(" > ")[0])
        if words[0] in ("COMMAND", "--help"):
            continue
        assert words[0] in COMMANDS, line
        context = typer.Context(program, info_name="rnncli")
        _, command, rest = program.resolve_command(context, words)
        command.make_parser(typer.Context(command, parent=context)).parse_args(rest)  # refuses an unknown option


def test_every_file_that_the_architecture_names_is_there():
    package = ROOT / "src" / "rnncli"
    paths = {str(path.relative_to(package)) + "/" * path.is_dir() for path in package.rglob("*")}
    named = re.findall(r"[`*]([\w/]+(?:\.py|/))[`*]", content("docs/architecture.md"))
    assert len(named) > 80
    roots = {"tests/", "docs/"}
    missing = [name for name in named if not any(path == name or path.endswith(f"/{name}") for path in paths)]
    assert [name for name in missing if name not in roots and not (ROOT / name).exists()] == []
