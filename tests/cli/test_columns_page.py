"""The commands of docs/columns.md, in their order."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "columns.md").read_text(encoding="utf-8")


def test_every_command_says_what_the_columns_are_for(cli):
    shutil.copytree(ROOT / "sample_data", cli.folder / "sample_data")
    rows = (f"{n},parcel {n},it is {'late' if n % 2 else 'here'} today,{'ab'[n % 2]}" for n in range(24))
    cli.write("tickets.csv", "nr,subject,body,kind\n" + "\n".join(rows) + "\n")
    commands = [shlex.split(line) for line in re.findall(r"^\$ rnncli (.*)$", PAGE, re.MULTILINE)]
    roles = []
    for words in commands:
        document = cli.works(*words, "--json").json
        roles.append({one["name"]: one["role"] for one in document["columns"]})
    walk = {"id": "id", "time": "time", "ax": "input", "ay": "input", "az": "input", "label": "label"}
    assert roles == [
        walk,
        {"review": "input", "sentiment": "label"},
        {"nr": "ignored", "subject": "input", "body": "input", "kind": "label"},
        walk | {"ay": "ignored"},
    ]
