"""Sets how NumPy's OpenBLAS multiplies: before NumPy is imported, and only where the user has not set it."""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping
from pathlib import Path

CPU_INFO = Path("/proc/cpuinfo")
_FIRST_PROCESSOR = 8192  # bytes: the file names every processor, and a machine may have hundreds
_AVX512 = {"avx512f", "avx512bw", "avx512dq", "avx512vl"}  # what the kernels for SkylakeX are compiled for
# In NumPy's own wheels, in one with 64-bit sizes, in a system's OpenBLAS.
_NAMES_OF_CORENAME = ("scipy_openblas_get_corename64_", "openblas_get_corename64_", "openblas_get_corename")


def set_up(environment: MutableMapping[str, str] = os.environ, cpu_info: Path = CPU_INFO) -> None:
    """Sets OpenBLAS's variables in the environment.

    One thread a product leaves the other cores to our own processes, or to the two directions of a layer: as quick on
    an idle machine, and on a busy one OpenBLAS's threads wait for each other so long that a step was measured fifty
    times slower.

    The kernel depends on the processor alone, and is the one that OpenBLAS takes by itself where it knows the
    processor: a training that is resumed, or that Python starts after it has imported NumPy, comes to the same bits.
    AMD processors that OpenBLAS does not know may get its kernel for AVX2 even if they have AVX-512; the one for
    Intel's first processors with AVX-512 was measured at 426 GFLOP/s beside 227 on a Zen 5.

    On a Zen 4, whose units are 256 bits wide, neither is always better (``benchmarks/kernels.py``). The kernel for
    AVX-512 is 25 to 45% faster at the small products of a timestep in NumPy (up to 128 units and 32 sequences). At
    large ones, which are nearly all that the compiled engine leaves to OpenBLAS, it is 2 to 12% slower in float32; in
    float64 neither leads. With the one for AVX2, ``OPENBLAS_CORETYPE=Haswell``, a step of an LSTM in NumPy (float32)
    took 4 to 7% more time at those small sizes, and 2 to 6% less beyond; a step of the compiled engine 2 to 4% less.
    That is too little to give up the same bits for.
    """
    environment.setdefault("OPENBLAS_NUM_THREADS", "1")
    if _amd_with_avx512(cpu_info):
        environment.setdefault("OPENBLAS_CORETYPE", "SkylakeX")


def kernel() -> str | None:
    """The kernel that NumPy's OpenBLAS multiplies with in this process, such as "Haswell".

    None where NumPy is not imported yet, or multiplies with another library.
    """
    import ctypes  # not at each start

    numpy = sys.modules.get("numpy._core._multiarray_umath")  # what OpenBLAS is linked to
    path = getattr(numpy, "__file__", None)
    if path is None:
        return None
    try:
        library = ctypes.CDLL(path)
    except OSError:
        return None
    for name in _NAMES_OF_CORENAME:
        if corename := getattr(library, name, None):
            corename.restype = ctypes.c_char_p
            return str(corename().decode("ascii", "replace"))
    return None


def _amd_with_avx512(cpu_info: Path) -> bool:
    try:
        with cpu_info.open("rb") as file:
            text = file.read(_FIRST_PROCESSOR).decode("ascii", "replace").split("\n\n")[0]
    except OSError:  # another system than Linux, or one that hides it
        return False
    entries = [line.partition(":") for line in text.splitlines()]
    said = {name.strip(): value.split() for name, _, value in entries}
    return said.get("vendor_id") == ["AuthenticAMD"] and set(said.get("flags", ())) >= _AVX512
