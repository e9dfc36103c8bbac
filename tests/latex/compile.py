"""Compiles every example worked by hand with pdflatex: no error, and no line that runs out of the page.

Not a part of the suite, which needs only Python. With Debian's texlive-latex-recommended installed:

    .venv/bin/python tests/latex/compile.py [NAME ...]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from by_hand_examples import MANY, MODELS, model, worked

from rnncli.inspection.adapters import adapter_of
from rnncli.render.by_hand import as_latex

SENTENCES = {
    "mingru": (model(cell="mingru", hidden=2, bias=True), "rat mat rat cat"),
    "large": (
        model(
            words=tuple("abcdefghijk"),
            hidden=8,
            cell="lstm",
            bidirectional=True,
            input="embedding",
            embedding=8,
            bias=True,
        ),
        "a b c d e f g h",
    ),
}


def faults(page: str, folder: Path) -> list[str]:
    """What pdflatex complains of."""
    (folder / "page.tex").write_text(page)
    run = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "page.tex"], cwd=folder, capture_output=True, check=False
    )
    log = run.stdout.decode("utf-8", "replace").splitlines()
    return [line for line in log if line.startswith(("!", "Overfull"))]


def main(names: list[str]) -> int:
    failed = 0
    for name in names or [*MODELS, *MANY, *SENTENCES]:
        if name in SENTENCES:
            made, text = SENTENCES[name]
            found = adapter_of(made).by_hand(text, "1")
        else:
            found = worked(name)[0]
        with tempfile.TemporaryDirectory() as folder:
            wrong = faults(as_latex(found), Path(folder))
        sys.stdout.write(f"{name}: {'; '.join(wrong[:3]) or 'as it should be'}\n")
        failed += bool(wrong)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
