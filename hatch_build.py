"""Compiles the engine, `src/rnncli/core/engine/source/`, into one shared library.

The build backend calls the hook below for a wheel and for an editable installation; ``python hatch_build.py``
compiles in place, with further options of the compiler (``-Werror``) if any follow. ``CC`` names the compiler. Where
there is none, or ``HATCH_BUILD_NO_HOOKS=true`` forbids it, there is no library, and rnncli computes with NumPy.
"""

from __future__ import annotations

import contextlib
import os
import platform
import runpy
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import Any

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
LIMIT = 120  # seconds for all of it, which takes a few: an installation does not wait for a compiler that hangs


def library_name() -> str:
    return "librnncli.dylib" if sys.platform == "darwin" else "librnncli.so"


def compile_library(to: Path, extra: list[str] | None = None, limit: float = LIMIT) -> None:
    """Compiles every kernel for each type and each level of vectors.

    The library appears whole: of two builds at once, each reads and writes files of its own.

    Args:
        extra: further options of the compiler.
        limit: seconds for all of it.

    Raises:
        OSError, subprocess.SubprocessError: there is no compiler, or it refuses, or takes too long.
    """
    compiler = shlex.split(os.environ.get("CC") or "cc")
    levels = X86_LEVELS if platform.machine() in ("x86_64", "AMD64") else {"plain": []}
    source = ENGINE / "source"
    digest = runpy.run_path(str(ENGINE / "sources.py"))["digest"]()
    deadline = time.monotonic() + limit
    with tempfile.TemporaryDirectory() as folder:
        running, objects = list[subprocess.Popen[bytes]](), list[str]()
        try:
            for level, flags in levels.items():
                for kind in ("float32", "float64"):
                    objects.append(f"{folder}/{kind}_{level}.o")
                    define = [f"-DLEVEL={level}", *(["-DDOUBLE"] if kind == "float64" else [])]
                    command = [*compiler, *FLAGS, *(extra or []), *flags, *define, "-c", str(source / "kernels.c")]
                    running.append(subprocess.Popen([*command, "-o", objects[-1]]))
            for process in running:
                if process.wait(max(0.0, deadline - time.monotonic())):
                    raise subprocess.CalledProcessError(process.returncode, process.args)
        finally:
            for process in running:
                if process.poll() is None:
                    process.kill()
                    process.wait()
        linked = f"{folder}/{library_name()}"
        define = [f'-DSOURCES="{digest}"']
        command = [*compiler, *FLAGS, *(extra or []), *define, "-shared", str(source / "level.c"), *objects]
        subprocess.run([*command, "-o", linked], check=True, timeout=max(0.0, deadline - time.monotonic()))
        beside = to.with_name(f".{to.name}.{os.getpid()}.tmp")
        try:
            shutil.copy(linked, beside)
            os.replace(beside, to)
        finally:
            beside.unlink(missing_ok=True)


def why_not_compiled(to: Path) -> str | None:
    """Compiles the library, or says in a few words why there is none."""
    if sys.platform == "win32":
        return "it is not compiled on Windows"
    try:
        compile_library(to)
    except subprocess.TimeoutExpired:
        return f"the C compiler took more than {LIMIT} seconds"
    except subprocess.CalledProcessError as error:
        return f"the C compiler ended with exit code {error.returncode}"
    except OSError as error:
        return f"the C compiler does not run: {error}"
    return None


def platform_tag() -> str:
    """Of the machine, as a wheel names it: the library needs no version of Python."""
    return sysconfig.get_platform().replace("-", "_").replace(".", "_")


# The backend has it; `python hatch_build.py` needs nothing but the standard library.
with contextlib.suppress(ImportError):
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface

    class EngineHook(BuildHookInterface):  # type: ignore[type-arg]
        """Compiles for a wheel into a folder of its own, for an editable installation in place."""

        PLUGIN_NAME = "custom"

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:
            if self.target_name != "wheel":
                return
            if version == "editable":
                to = ENGINE / library_name()
            else:
                self._folder = tempfile.TemporaryDirectory()
                to = Path(self._folder.name) / library_name()
            why = why_not_compiled(to)
            if why is not None:
                self.app.display_warning(f"rnncli computes with NumPy alone, without its compiled engine: {why}")
            elif version != "editable":
                build_data["force_include"][str(to)] = f"rnncli/core/engine/{library_name()}"
                build_data["pure_python"] = False
                build_data["tag"] = f"py3-none-{platform_tag()}"

        def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
            if hasattr(self, "_folder"):
                self._folder.cleanup()


if __name__ == "__main__":
    compile_library(ENGINE / library_name(), sys.argv[1:])
