"""The digest of the engine's C sources: compiled into the library, and compared when it is loaded."""

from __future__ import annotations

import hashlib
from pathlib import Path

SOURCE = Path(__file__).with_name("source")


def digest() -> str | None:
    """SHA-256 of names and contents; None where the sources are not there."""
    files = sorted((*SOURCE.glob("*.c"), *SOURCE.glob("*.h")))
    found = hashlib.sha256()
    for file in files:
        found.update(f"{file.name}\0".encode() + file.read_bytes() + b"\0")
    return found.hexdigest() if files else None
