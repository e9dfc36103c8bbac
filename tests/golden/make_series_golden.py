"""Writes series.json beside this file: .ts files written by aeon, .arff and UCR files as the archives have them, each
with the numbers and labels that aeon reads from it.

    python tests/golden/make_series_golden.py          (needs aeon; the tests need only its output)

A series is (D, T) for aeon; missing values are null in the file.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from aeon.datasets import load_from_arff_file, load_from_ts_file, load_from_tsv_file, save_to_ts_file

RNG = np.random.default_rng(11)
LABELS = np.array(["up", "down", "up", "level"])

PLAIN_TS = """# A comment: with a colon
@problemName Walks

@timeStamps false
@missing true
@univariate false
@dimensions 2
@equalLength true
@seriesLength 4
@classLabel true 1 2

@data
0.5,?,1e-3,-2:1,2,3,4:1
-0.125, 7.25,0,.5:?,?,6,8:2
"""
UNEVEN_TS = """@problemName Uneven
@timeStamps false
@univariate true
@equalLength false
@classLabel true a b
@data
1.5,2.25,3:a
4:b
5.125,6:a
"""
ARFF = """% A comment
@RELATION Gun

@attribute att0 numeric
@attribute att1 real
@attribute att2 NUMERIC
@attribute target {1,2}

@DATA
0.5,-1.25,2e-2,1
1,2,NaN,2
-3.5,4.125,.75,1
"""
# aeon reads neither ? nor comments between the records of an .arff file.
RELATIONAL = """@relation Walks
@attribute relationalAtt relational
@attribute att0 numeric
@attribute att1 numeric
@attribute att2 numeric
@end relationalAtt
@attribute class {up,down}
@data
'0.5,1,1.5\\n-1,-2,-3.25',up
'2,2.5,3\\n4,NaN,6',down
"""
UCR = "1\t0.5\t-1.25\t2e-2\n2\t1\t2\tNaN\n1\t-3.5\t4.125\t.75\n"


def written(series: Any, labels: Any, folder: Path) -> str:
    """What aeon writes."""
    save_to_ts_file(series, labels, label_type="classification", path=str(folder), problem_name="walks")
    return next(folder.glob("*.ts")).read_text()


def read(name: str, content: str, folder: Path) -> dict[str, Any]:
    path = folder / name
    path.write_text(content)
    readers = {".ts": load_from_ts_file, ".arff": load_from_arff_file, ".tsv": load_from_tsv_file}
    series, labels = readers[path.suffix](str(path))
    sequences = [np.atleast_2d(one).T.tolist() for one in series]
    null = [[[None if np.isnan(x) else x for x in step] for step in one] for one in sequences]
    return {"name": name, "content": content, "sequences": null, "labels": [str(label) for label in labels]}


def main() -> None:
    even = RNG.normal(size=(4, 1, 6))
    several = RNG.normal(size=(4, 3, 5))
    uneven = [RNG.normal(size=(2, length)) for length in (3, 7, 1, 4)]
    cases = []
    for name, series in (("even.ts", even), ("several.ts", several), ("uneven.ts", uneven)):
        with tempfile.TemporaryDirectory() as folder:
            cases.append(read(name, written(series, LABELS, Path(folder)), Path(folder)))
    contents = {"missing.ts": PLAIN_TS, "one.ts": UNEVEN_TS, "gun.arff": ARFF, "walks.arff": RELATIONAL, "gun.tsv": UCR}
    with tempfile.TemporaryDirectory() as folder:
        cases += [read(name, content, Path(folder)) for name, content in contents.items()]
    path = Path(__file__).with_name("series.json")
    path.write_text("[\n" + ",\n".join(map(json.dumps, cases)) + "\n]\n")


if __name__ == "__main__":
    main()
