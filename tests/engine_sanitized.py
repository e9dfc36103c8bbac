"""The comparison of the engines, and the tests of the passes over rows, under the address and undefined-behaviour
sanitizers.

    python tests/engine_sanitized.py              every level that this processor has, 1,000 problems each
    python tests/engine_sanitized.py --cases 100

First a read and a write beyond an array are planted in the kernels, one at a time, each of which must be refused: else
this could not fail. NumPy takes the memory of an array by malloc in just its size, and the sanitizer's malloc has
fences. It does not see what the instructions with masks read and write: a wrong mask of theirs spoils the next row or
plane, and the comparison itself refuses it. The exit code is 0 if the kernels are clean. Needs gcc. Not collected by
pytest.
"""

from __future__ import annotations

import argparse
import runpy
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
FLAGS = [
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    "-fno-omit-frame-pointer",
    "-O1",
    "-g",
]
# In vector.h: what stands there, and what is planted.
PLANTS = {
    "a read beyond": ("memcpy(&v, p, (size_t)count *", "memcpy(&v, p, (size_t)(count + 1) *"),
    "a write beyond": ("memcpy(p, from, (size_t)size *", "memcpy(p, from, (size_t)(size + 1) *"),
    "an overflow": (
        "INLINE VEC load(const REAL *p) {",
        "INLINE VEC load(const REAL *p) {\n    volatile int most = 2147483647; most += 1;",
    ),
}


def library_of(package: Path, to: Path) -> None:
    hook = runpy.run_path(str(package.parents[1] / "hatch_build.py"))
    hook["compile_library"](to, FLAGS, 900)  # it is slow work on a busy machine


def compared(cases: int) -> list[str]:
    return [str(ROOT / "tests" / "engine_agreement.py"), "--cases", str(cases)]


def tested() -> list[str]:
    """What no cell of the comparison reaches: passes over rows, and the edges of all functions."""
    files = [str(path) for path in sorted((ROOT / "tests" / "core").glob("test_engine_*.py"))]
    return ["-m", "pytest", "-n", "0", "-p", "no:cacheprovider", "--rootdir", str(ROOT), "-m", "engines", *files]


def run(package: Path, command: list[str]) -> subprocess.CompletedProcess[str]:
    """A command of Python with the package's sanitized library; the sanitizer is loaded into its process first."""
    runtimes = [
        subprocess.run(["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=True).stdout.strip()
        for name in ("libasan.so", "libubsan.so")
    ]
    environment = {
        "LD_PRELOAD": " ".join(runtimes),
        "ASAN_OPTIONS": "detect_leaks=0",  # Python's own
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "PYTHONPATH": str(package.parent),
        "PATH": "/usr/bin:/bin",
    }
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=1000)
    cases = parser.parse_args().cases
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "src" / "rnncli"
        shutil.copytree(ROOT / "src" / "rnncli", copy, ignore=shutil.ignore_patterns("__pycache__", "librnncli*"))
        shutil.copy(ROOT / "hatch_build.py", folder)
        to, header = copy / "core" / "engine" / "librnncli.so", copy / "core" / "engine" / "source" / "vector.h"
        right = header.read_text(encoding="utf-8")
        for name, (there, planted) in PLANTS.items():
            assert right.count(there) == 1, name
            header.write_text(right.replace(there, planted), encoding="utf-8")
            library_of(copy, to)
            found = run(copy, compared(20))
            if "AddressSanitizer" not in found.stderr and "runtime error" not in found.stderr:
                print(f"{name}, planted: not refused\n{found.stdout}{found.stderr}")
                return 1
            print(f"{name}, planted: refused")
        header.write_text(right, encoding="utf-8")
        library_of(copy, to)
        failed = 0
        for command in (compared(cases), tested()):
            found = run(copy, command)
            print(found.stdout, found.stderr, sep="")
            failed |= found.returncode
        return failed


if __name__ == "__main__":
    sys.exit(main())
