"""Which kernels OpenBLAS is told to take, for made-up processors."""

from __future__ import annotations

from pathlib import Path

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
