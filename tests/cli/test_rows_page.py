"""The commands of docs/rows.md, in their order."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "rows.md").read_text(encoding="utf-8")


def test_every_command_works(cli):
    shutil.copytree(ROOT / "sample_data", cli.folder / "sample_data")
    rows = (ROOT / "sample_data" / "reviews.csv").read_text(encoding="utf-8").splitlines()[1:121]
    parts = ["train"] * 8 + ["valid", "test"]
    split = (f"{row},{parts[n % 10]},cinema {n % 15}" for n, row in enumerate(rows))
    cli.write("reviews_split.csv", "review,sentiment,part,cinema\n" + "\n".join(split) + "\n")
    new = (f"a novel {word} thing,{label}" for word, label in [("good", "positive"), ("odd", "odd")] * 20)
    cli.write("reviews_new.csv", "review,sentiment\n" + "\n".join(new) + "\n")
    commands = [shlex.split(line) for line in re.findall(r"^\$ rnncli (.*)$", PAGE, re.MULTILINE)]
    assert [words[-1] for words in commands] == ["own", "tested", "split", "grouped", "crossed", "later"]
    for words in commands:
        found = cli.works(*words, "--hidden", "4", "--embedding", "4", "--json").json if words[-1] != "later" else None
        if found is None:
            found = cli.works(*words, "--json").json
            assert (found["from"]["model"], found["from"]["added"]["label"]) == ("own", 1)
            assert found["kept"]["data"] == "reviews_unseen.csv"
        elif words[-1] == "own":
            assert (found["report"]["training_rows"], found["report"]["validation_rows"]) == (774, 60)
        elif words[-1] in ("tested", "split"):
            assert found["test"]["rows"] == {"tested": 60, "split": 12}[words[-1]]
        elif words[-1] == "crossed":
            assert [fold["rows"] for fold in found["folds"]["folds"]] == [258] * 3
        else:
            assert found["report"]["groups"]["column"] == "cinema"
