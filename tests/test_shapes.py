"""One sample file of our own for each sequence shape: each trains by its command, is asked, scored and opened."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SAMPLES = (ROOT / "sample_data" / "README.md").read_text(encoding="utf-8")
# Fewer epochs than by default, and smaller: enough to be far ahead of the baseline.
QUICK = {
    "vibration.jsonl": ["--epochs", "25", "--hidden", "32"],
    "tags.jsonl": ["--epochs", "30"],
    "clock.csv": ["--epochs", "8", "--hidden", "48", "--lr", "0.01"],
    "shapes.csv": ["--epochs", "25", "--hidden", "64"],
    "harbour.txt": ["--epochs", "14", "--hidden", "96"],
    "walking.csv": ["--epochs", "25", "--hidden", "48", "--lr", "0.01"],
}
# With the options that they need; tests/cli/test_shell.py scores them.
OTHERS = {"tickets.csv": [], "flats.csv": ["--task", "regress"], "ferry.csv": ["--horizon", "7"]}
TASKS = dict(zip(QUICK, ("classify", "tag", "seq2seq", "caption", "lm", "classify"), strict=True))
ASKED = {
    "vibration.jsonl": None,  # a row of the file
    "tags.jsonl": "She can open the can .",
    "clock.csv": "7:45 pm",
    "shapes.csv": None,
    "harbour.txt": "The bell",
    "walking.csv": "[[0.1,-0.2,1.0],[0,0.1,0.8],[-0.1,0.2,1.3]]",
}


def rnncli(folder: Path, *words: str) -> str:
    """What a command prints, as a process of its own: one thread a product, as on the command line."""
    done = subprocess.run([sys.executable, "-m", "rnncli", *words], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    return done.stdout


def test_the_readme_names_each_of_them() -> None:
    named = re.findall(r"rnncli train sample_data/([\w.]+)[^`]*` \|", README)
    assert len(named) >= 5
    assert set(named) <= set(QUICK) | set(OTHERS)
    assert set(QUICK) | set(OTHERS) <= set(re.findall(r"`rnncli train\s+sample_data/([\w.]+)[^`]*`", SAMPLES))


def example_of(path: Path) -> str:
    line = path.read_text().splitlines()[1]
    return json.dumps(json.loads(line)["sequence"]) if path.suffix == ".jsonl" else line.rsplit(",", 1)[0]


@pytest.mark.parametrize("name", QUICK)
def test_a_shape_from_file_to_answer(name: str, tmp_path: Path) -> None:
    data = str(ROOT / "sample_data" / name)
    document = json.loads(rnncli(tmp_path, "train", data, *QUICK[name], "--json"))
    assert document["settings"]["task"] == TASKS[name]
    best, baselines = document["best_value"], document["baselines"].values()
    weak = [score for name, score in document["baselines"].items() if name != "random_convolution_kernels"]
    if TASKS[name] in ("caption", "lm"):  # a loss: lower is better
        assert best < min(baselines) - 0.02
    else:
        assert best > max(weak) + 0.05
    compared = document["comparison"]  # row by row, and together they are the scores
    assert compared["score"] == pytest.approx(best, abs=1e-5)
    assert compared["baseline_score"] == (min if compared["metric"].startswith("nats") else max)(baselines)
    low, high = compared["interval"]
    if compared["baseline"] == "random_convolution_kernels":  # which is hard to beat
        assert low <= compared["difference"] <= high
        return
    assert 0 < low < compared["difference"] == pytest.approx(abs(best - compared["baseline_score"]), abs=1e-5)
    assert compared["difference"] < high
    assert "the network is better." in document["verdict"]
    text = ASKED[name] or example_of(ROOT / "sample_data" / name)
    assert json.loads(rnncli(tmp_path, "predict", text, "--json"))["text"] == text
    opened = json.loads(rnncli(tmp_path, "inspect", "--timesteps", text, "--json"))
    assert len(opened["hidden"]) == len(opened["tokens"]) > 0
    assert "network\t" in rnncli(tmp_path, "inspect")
    assert rnncli(tmp_path, "evaluate", "latest", data)
    assert rnncli(tmp_path, "predict", text)
    assert rnncli(tmp_path, "inspect", "--timesteps", text, "--top", "2")


@pytest.mark.parametrize("name", [*QUICK, *OTHERS])
def test_killed_and_taken_up_again_to_the_same_bits(name: str, tmp_path: Path) -> None:
    """``kill -9`` after the first epoch was saved, with two processes at work."""
    quick = ["--epochs", "4", "--hidden", "24", "--workers", "2", "--validation", "0.1"]
    asked = [str(ROOT / "sample_data" / name), *OTHERS.get(name, []), *quick, "--name", "run"]
    command = [sys.executable, "-m", "rnncli", "train", *asked]
    subprocess.run([*command, "--runs", "whole"], cwd=tmp_path, check=True, capture_output=True)
    saved = tmp_path / "killed" / "run" / "state.safetensors"
    with subprocess.Popen([*command, "--runs", "killed"], cwd=tmp_path, stderr=subprocess.DEVNULL) as training:
        while not saved.exists() and training.poll() is None:
            time.sleep(0.01)
        training.kill()
    rnncli(tmp_path, "train", "--resume", "run", "--runs", "killed", "--json")
    whole, killed = (tmp_path / folder / "run" / "model.safetensors" for folder in ("whole", "killed"))
    assert killed.read_bytes() == whole.read_bytes()
