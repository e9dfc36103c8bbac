"""Sets how NumPy's OpenBLAS multiplies: before NumPy is imported, and only where the user has not set it."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from pathlib import Path

CPU_INFO = Path("/proc/cpuinfo")
_FIRST_PROCESSOR = 8192  # bytes: the file names every processor, and a machine may have hundreds
_AVX512 = {"avx512f", "avx512bw", "avx512dq", "avx512vl"}  # what the kernels for SkylakeX are compiled for


def set_up(environment: MutableMapping[str, str] = os.environ, cpu_info: Path = CPU_INFO) -> None:
    """Sets OpenBLAS's variables in the environment.

    One thread a product leaves the other cores to our own processes, or to the two directions of a layer: as quick on
    an idle machine, and on a busy one OpenBLAS's threads wait for each other so long that a step was measured fifty
    times slower.

    AMD processors newer than OpenBLAS get its kernels for AVX2, even if they have AVX-512; those for Intel's first
    processors with AVX-512 were measured at 426 GFLOP/s beside 227 on a Zen 5.
    """
    environment.setdefault("OPENBLAS_NUM_THREADS", "1")
    if _amd_with_avx512(cpu_info):
        environment.setdefault("OPENBLAS_CORETYPE", "SkylakeX")


def _amd_with_avx512(cpu_info: Path) -> bool:
    try:
        with cpu_info.open("rb") as file:
            text = file.read(_FIRST_PROCESSOR).decode("ascii", "replace").split("\n\n")[0]
    except OSError:  # another system than Linux, or one that hides it
        return False
    entries = [line.partition(":") for line in text.splitlines()]
    said = {name.strip(): value.split() for name, _, value in entries}
    return said.get("vendor_id") == ["AuthenticAMD"] and set(said.get("flags", ())) >= _AVX512
