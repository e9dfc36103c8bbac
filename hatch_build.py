"""Compiles the engine, `src/rnncli/core/engine/source/`, into one shared library.

The build backend calls the hook below for a wheel and for an editable installation; ``python hatch_build.py``
compiles in place. Where there is no C compiler, there is no library, and rnncli computes with NumPy.
"""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ENGINE = Path(__file__).parent / "src" / "rnncli" / "core" / "engine"
# Only what NaN and infinity survive: no -ffast-math.
FLAGS = [
    "-std=gnu11",
    "-O3",
    "-fPIC",
    "-Wall",
    "-Wextra",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-ffp-contract=fast",
]
X86_LEVELS = {
    "plain": [],
    "avx2": ["-mavx2", "-mfma"],
    "avx512": ["-mavx2", "-mfma", "-mavx512f", "-mavx512vl", "-mavx512dq", "-mavx512bw"],
}


def library_name() -> str:
    return "librnncli.dylib" if sys.platform == "darwin" else "librnncli.so"


def compile_library(to: Path, extra: list[str] | None = None) -> None:
    """Compiles every kernel for each type and each level of vectors.

    Raises:
        OSError, subprocess.CalledProcessError: there is no compiler, or it refuses.
    """
    compiler = shlex.split(os.environ.get("CC") or "cc")
    levels = X86_LEVELS if platform.machine() in ("x86_64", "AMD64") else {"plain": []}
    source = ENGINE / "source"
    with tempfile.TemporaryDirectory() as folder:
        running, objects = [], []
        for level, flags in levels.items():
            for kind in ("float32", "float64"):
                objects.append(f"{folder}/{kind}_{level}.o")
                define = [f"-DLEVEL={level}", *(["-DDOUBLE"] if kind == "float64" else [])]
                command = [*compiler, *FLAGS, *(extra or []), *flags, *define, "-c", str(source / "kernels.c")]
                running.append(subprocess.Popen([*command, "-o", objects[-1]]))
        for process in running:
            if process.wait():
                raise subprocess.CalledProcessError(process.returncode, process.args)
        command = [*compiler, *FLAGS, *(extra or []), "-shared", str(source / "level.c"), *objects, "-o", str(to)]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    compile_library(ENGINE / library_name())
