"""Which kernels OpenBLAS is told to take, for made-up processors."""

from __future__ import annotations

import _ctypes
import os
import platform
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rnncli import blas

AVX2 = "fpu sse2 fma avx avx2"
AVX512 = f"{AVX2} avx512f avx512dq avx512cd avx512bw avx512vl"


def set_up(tmp_path: Path, vendor: str, flags: str, **environment: str) -> dict[str, str]:
    path = tmp_path / "cpuinfo"
    processor = f"processor\t: 0\nvendor_id\t: {vendor}\nmodel name\t: a: b\nflags\t\t: {flags}\nbugs\t\t: none\n"
    path.write_text(f"{processor}\n{processor.replace(flags, AVX512)}\n")
    blas.set_up(environment, path)
    return environment


@pytest.mark.parametrize(
    ("vendor", "flags", "expected"),
    [
        ("AuthenticAMD", AVX512, {"OPENBLAS_CORETYPE": "SkylakeX"}),
        ("AuthenticAMD", AVX2, {}),
        # One of the four is missing: its kernels would end in an illegal instruction.
        ("AuthenticAMD", AVX512.replace(" avx512vl", ""), {}),
        # OpenBLAS knows Intel's processors, and has better kernels for the newer ones.
        ("GenuineIntel", AVX512, {}),
    ],
)
def test_kernels(tmp_path: Path, vendor: str, flags: str, expected: dict[str, str]) -> None:
    assert set_up(tmp_path, vendor, flags) == {"OPENBLAS_NUM_THREADS": "1"} | expected


def test_the_user_has_the_last_word(tmp_path: Path) -> None:
    said = {"OPENBLAS_NUM_THREADS": "2", "OPENBLAS_CORETYPE": "Haswell"}
    assert set_up(tmp_path, "AuthenticAMD", AVX512, **said) == said


def test_no_such_file(tmp_path: Path) -> None:
    environment: dict[str, str] = {}
    blas.set_up(environment, tmp_path / "cpuinfo")
    assert environment == {"OPENBLAS_NUM_THREADS": "1"}


def test_the_name_of_the_kernel() -> None:
    code = "from rnncli import blas; before = blas.kernel(); import numpy; print(before, blas.kernel())"
    environment = os.environ | {"OPENBLAS_CORETYPE": "Nehalem"}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    before, kernel = run.stdout.split()
    assert before == "None"
    config: dict[str, dict[str, dict[str, str]]] = np.show_config(mode="dicts")  # type: ignore[assignment]
    if "openblas" not in config["Build Dependencies"]["blas"]["name"]:  # Accelerate, MKL
        assert kernel == "None"
    elif platform.machine() in ("x86_64", "AMD64"):
        assert kernel == "Nehalem"
    else:
        assert kernel != "None"


@pytest.mark.parametrize("module", [SimpleNamespace(), SimpleNamespace(__file__="absent.so"), _ctypes])
def test_no_name_where_there_is_no_openblas(monkeypatch: pytest.MonkeyPatch, module: object) -> None:
    monkeypatch.setitem(sys.modules, "numpy._core._multiarray_umath", module)
    assert blas.kernel() is None
