"""The compiled engine beside NumPy's on 1,000 random problems, at every level of vectors that this processor has.

    python tests/engine_agreement.py              1,000 problems a level
    python tests/engine_agreement.py --level avx2 --only 123
    python tests/engine_agreement.py --library FILE

Prints the farthest arrays of each type. One of float32 that is beyond the tolerance is held against float64, and passes
if it is ill-conditioned, with the numbers printed. The exit code is 0 if no other is beyond. Not collected by pytest.
"""

from __future__ import annotations

import argparse
import heapq
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from rnncli import blas

blas.set_up()

from core import agreement
from core.levels import LEVELS, LIBRARY, levels

from rnncli.core.engine import library

# By so many times what a rounding of the input moves it, an array of float32 may be off where it is ill-conditioned.
ROUNDINGS = 4


def ill_conditioned(number: int, name: str, drawn: agreement.Case) -> bool:
    """Whether an array of float32 is as near to float64 as the roundings of what goes in let it be."""
    if drawn.dtype != "float32":
        return False
    numpy, compiled = agreement.from_exact(number)[name]
    moved = agreement.moved_by_rounding(number)[name]
    print(f"  {name}, {drawn.text}: from float64 NumPy is {numpy:.1e} away, the compiled engine {compiled:.1e}; half a")
    print(f"    rounding of what goes in moves it by {moved:.1e}")
    return compiled <= ROUNDINGS * moved


def compare(path: Path, level: str, numbers: range) -> int:
    """Prints what it found; how many arrays are beyond the tolerance."""
    engine = library.Library(path, level)
    library._loaded = lambda: engine
    with library.using("compiled"):
        assert library.status().level == level
    farthest: dict[str, list[tuple[float, str]]] = {"float32": [], "float64": []}
    arrays, cases, beyond = Counter[str](), Counter[str](), 0
    for number in numbers:
        drawn, found = agreement.distances(number)
        assert drawn.stack.layers[0].cell.usable_compiled is not None
        cases[drawn.kind] += 1
        arrays[drawn.dtype] += len(found)
        for name, distance in found.items():
            if distance > agreement.TOLERANCE[drawn.dtype]:
                beyond += not ill_conditioned(number, name, drawn)
            heapq.heappush(farthest[drawn.dtype], (distance, f"{name}, {drawn.text}"))
            if len(farthest[drawn.dtype]) > 3:
                heapq.heappop(farthest[drawn.dtype])
    print(f"{level}: {sum(cases.values())} problems ({', '.join(f'{k} {v}' for k, v in sorted(cases.items()))})")
    for dtype, worst in farthest.items():
        print(f"  {dtype}: {arrays[dtype]} arrays, the farthest:")
        for distance, text in sorted(worst, reverse=True):
            print(f"    {distance:.1e}  {text}")
    return beyond


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--only", type=int)
    parser.add_argument("--level", choices=LEVELS)
    parser.add_argument("--library", type=Path, default=LIBRARY)
    asked = parser.parse_args()
    numbers = range(asked.cases) if asked.only is None else range(asked.only, asked.only + 1)
    at_levels = (asked.level,) if asked.level else levels(asked.library)
    beyond = sum(compare(asked.library, level, numbers) for level in at_levels)
    print("every array agrees" if beyond == 0 else f"{beyond} arrays are beyond the tolerance")
    return 1 if beyond else 0


if __name__ == "__main__":
    sys.exit(main())
