"""A training step of each sequence shape beside the same model in PyTorch, at the sizes and settings of the task.

The two run by turns, block by block, in processes of their own with the same number of threads, as in ``step.py``; a
row holds the median step of each, the median of the ratios block by block (PyTorch's time over ours: above 1 we are
faster), and the timesteps a second of each. Both have the same made-up data, drawn from a seed: four batches, cut as an
epoch is, so that a batch holds like lengths; a step is the mean over the four. Ours is the step of a training,
processes and packing of the batch included; PyTorch's (``torch_tasks.py``) finds its batches padded. Both have the same
parameters, but for the second bias that nn.LSTM adds to each; the script makes sure of it.

    python benchmarks/tasks.py --peer-python VENV/bin/python [--threads 2] [--blocks 15] [--only tag] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from step import REST_SECONDS, timed

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from rnncli.config import Settings

    Array = npt.NDArray[Any]
    Made = dict[str, Any]

# NumPy is imported within functions: OpenBLAS is to be set up before, and PyTorch's process reads this file too.

# A row of the table → its task.
ROWS = {"words": "classify", "numbers": "classify"} | {task: task for task in ("tag", "seq2seq", "caption", "lm")}
SEED = 0
ROUND = 4  # batches that a step is the mean of
EPOCH = 100  # batches that are cut from one sorted chunk; the four are spread over them

# The unknown symbol is among those of each vocabulary.
WORDS, WORD_LENGTHS = 10_000, (5, 45)
IMAGE, DIGITS = 28, 10  # 28 timesteps of 28 numbers
FORMS, TAGS, SENTENCE_LENGTHS = 19_674, 17, (2, 32)  # as in UD English EWT, and so are the next
VIEWS = (8_588, 431, 1_458, 2_722, 1_680, 122)  # known words, endings of 2, 3 and 4 letters, beginnings, shapes
LETTERS, PHONES, LETTER_LENGTHS, PHONE_LENGTHS = 28, 70, (4, 12), (3, 11)  # as in CMUdict
FEATURES, CHARACTERS, CAPTION_LENGTHS = 64, 28, (10, 30)
SYMBOLS = 66  # as in Tiny Shakespeare


def made_up(name: str, batch: int, window: int) -> Made:
    """The data of a row: rows ``k * batch`` to ``(k + 1) * batch`` are batch k of the round.

    Args:
        name: one of :data:`ROWS`.
        batch: sequences in a step.
        window: timesteps that task lm takes at a time.
    """
    import numpy as np

    rng = np.random.default_rng(SEED)
    if name == "words":
        (lengths,) = like_lengths(batch, _between(rng, WORD_LENGTHS, batch))
        return {"inputs": _sequences(rng, WORDS, lengths), "targets": rng.integers(0, 2, len(lengths))}
    if name == "numbers":
        images = rng.standard_normal((ROUND * batch, IMAGE, IMAGE), np.float32)
        return {"inputs": list(images), "targets": rng.integers(0, DIGITS, len(images))}
    if name == "tag":
        (lengths,) = like_lengths(batch, _between(rng, SENTENCE_LENGTHS, batch))
        views = np.stack([_zipf(rng, size, FORMS) for size in VIEWS], axis=1)
        views[:, 0] = np.minimum(np.arange(FORMS), VIEWS[0] - 1)  # the rarer forms are no known words
        tags = np.split(rng.integers(0, TAGS, lengths.sum()), np.cumsum(lengths)[:-1])
        return {"inputs": _sequences(rng, FORMS, lengths), "targets": tags, "views": views.astype(np.int64)}
    if name == "seq2seq":
        letters = _between(rng, LETTER_LENGTHS, batch)
        phones = np.clip(letters + rng.integers(-2, 2, len(letters)), *PHONE_LENGTHS)
        letters, phones = like_lengths(batch, letters, phones)
        return {"inputs": _sequences(rng, LETTERS, letters), "targets": _sequences(rng, PHONES, phones)}
    if name == "caption":
        (lengths,) = like_lengths(batch, _between(rng, CAPTION_LENGTHS, batch))
        features = rng.standard_normal((len(lengths), FEATURES), np.float32)
        return {"inputs": features, "targets": _sequences(rng, CHARACTERS, lengths)}
    return {"text": _zipf(rng, SYMBOLS, batch * window * ROUND + 1)}


def like_lengths(batch: int, *lengths: Array) -> list[Array]:
    """The lengths of ROUND batches out of an epoch: training sorts its rows, cuts them, and shuffles the batches."""
    import numpy as np

    cut = np.argsort(np.sum(lengths, axis=0), kind="stable").reshape(EPOCH, batch)
    rows = cut[EPOCH // ROUND // 2 :: EPOCH // ROUND].ravel()
    return [side[rows] for side in lengths]


def _between(rng: np.random.Generator, limits: tuple[int, int], batch: int) -> Array:
    return rng.integers(limits[0], limits[1] + 1, EPOCH * batch)


def _zipf(rng: np.random.Generator, size: int, count: int) -> Array:
    import numpy as np

    weights = 1.0 / np.arange(1, size + 1)
    return rng.choice(size, count, p=weights / weights.sum()).astype(np.int32)


def _sequences(rng: np.random.Generator, size: int, lengths: Array) -> list[Array]:
    import numpy as np

    return np.split(_zipf(rng, size, int(lengths.sum())), np.cumsum(lengths)[:-1])


def our_settings(name: str) -> Settings:
    """The defaults of the row's task. The rate does not fall: how many steps there will be is not known."""
    from rnncli.config import Settings
    from rnncli.data.records import NumberArrays, Texts
    from rnncli.tasks import task_named

    # What a task looks at to choose its defaults is whether texts have words, or are numbers.
    inputs = NumberArrays([[[0.5, 1]]]) if name == "numbers" else Texts(["a text of words"])
    dataset: Any = SimpleNamespace(inputs=inputs, texts=["[[0.5, 1]]" if name == "numbers" else "a text of words"])
    chosen = task_named(ROWS[name]).defaults(dataset, Settings())
    return Settings(**{**chosen, "task": ROWS[name], "schedule": "constant", "epochs": 1, "patience": 1})


def our_network(name: str, settings: Settings, made: Made) -> tuple[Any, Any]:
    """The network of a row, and its examples."""
    from rnncli.tasks.caption.network import Captioner, Described
    from rnncli.tasks.classify.network import Classifier
    from rnncli.tasks.language_model.network import LanguageModelNetwork, Streams
    from rnncli.tasks.many_to_one.network import Examples
    from rnncli.tasks.seq2seq.network import EncoderDecoder, Pairs
    from rnncli.tasks.tag.network import TagExamples, Tagger

    if name == "words":
        return Classifier(settings, WORDS, 2), Examples(**made)
    if name == "numbers":
        return Classifier(settings, IMAGE, DIGITS, numbers=True), Examples(**made)
    if name == "tag":
        return Tagger(settings, VIEWS, TAGS), TagExamples(**made)
    if name == "seq2seq":
        return EncoderDecoder(settings, LETTERS, PHONES), Pairs(made["inputs"], made["targets"])
    if name == "caption":
        return Captioner(settings, FEATURES, CHARACTERS), Described(made["inputs"], made["targets"])
    return LanguageModelNetwork(settings, SYMBOLS), Streams.of(made["text"], settings.batch, settings.max_length)


def our_round(network: Any, examples: Any, settings: Settings, threads: int) -> tuple[Callable[[], None], Any]:
    """What takes the steps of a round, and the group that takes part in them."""
    import numpy as np

    from rnncli.core.threads import available_cores, share_cores
    from rnncli.machine import keep_freed_memory
    from rnncli.parallel import group_of
    from rnncli.training import loop
    from rnncli.training.step import Trainer

    keep_freed_memory()
    workers = min(threads, loop.auto_workers(settings, examples.size, float(examples.lengths.mean())))
    settings = settings.replace(workers=workers)
    group = group_of(workers)
    nothing = examples.take(np.arange(0))
    trainer = Trainer(network, loop.new_state(network, settings, group), examples, nothing, settings, group)
    group.start(trainer.follow)
    if workers == 1:  # the two directions of a layer are two threads, if there are two
        share_cores(max(1, available_cores() // threads))

    def steps() -> None:
        for k in range(ROUND):
            trainer.step(0, k)

    return steps, group


def compare(name: str, peer: subprocess.Popen[str], args: argparse.Namespace) -> dict[str, Any]:
    import numpy as np

    assert peer.stdin is not None
    assert peer.stdout is not None
    settings = our_settings(name)
    network, examples = our_network(name, settings, made_up(name, settings.batch, settings.max_length))
    parameters = sum(int(np.prod(shape)) for shape in network.shapes().values())
    steps, group = our_round(network, examples, settings, args.threads)
    timed(steps)
    print(json.dumps({"name": name, "settings": settings.as_dict()}), file=peer.stdin, flush=True)
    answer = json.loads(peer.stdout.readline())
    assert answer["parameters"] - answer["second_biases"] == parameters, (name, answer, parameters)
    theirs, ours = [], []
    for _ in range(args.blocks):
        time.sleep(REST_SECONDS)
        print("go", file=peer.stdin, flush=True)
        theirs.append(float(peer.stdout.readline()))
        time.sleep(REST_SECONDS)
        ours.append(timed(steps) / ROUND)
    group.__exit__()
    timesteps = float(examples.lengths.sum()) / ROUND
    return {
        **{"row": name, "task": ROWS[name], "batch": settings.batch, "timesteps": timesteps, "workers": group.size},
        **{"parameters": parameters, "peer_parameters": answer["parameters"]},
        **{"peer_ms": 1e3 * statistics.median(theirs), "ours_ms": 1e3 * statistics.median(ours)},
        "ratio": statistics.median(a / b for a, b in zip(theirs, ours, strict=True)),
        "peer_timesteps_per_second": timesteps / statistics.median(theirs),
        "timesteps_per_second": timesteps / statistics.median(ours),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", default=sys.executable, help="a Python that has PyTorch")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--blocks", type=int, default=15)
    parser.add_argument("--only", nargs="+", choices=ROWS, default=list(ROWS), help="these rows")
    parser.add_argument("--json", help="write the figures to this file")
    args = parser.parse_args()
    from rnncli import blas

    blas.set_up()  # as the command line does
    command = [args.peer_python, str(Path(__file__).with_name("torch_tasks.py")), str(args.threads)]
    environment = os.environ | {"OMP_NUM_THREADS": str(args.threads)}
    peer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    print(f"{args.threads} thread(s)")
    print("                        parameters          ms of a step             timesteps/s")
    print("row      batch     PyTorch     rnncli   PyTorch   rnncli  ratio   PyTorch    rnncli")
    rows = []
    for name in args.only:
        row = compare(name, peer, args)
        rows.append(row)
        print(
            f"{name:<8} {row['batch']:>5}  {row['peer_parameters']:>10,} {row['parameters']:>10,}"
            f"  {row['peer_ms']:>8.2f} {row['ours_ms']:>8.2f}  {row['ratio']:>5.2f}"
            f"  {row['peer_timesteps_per_second']:>8,.0f}  {row['timesteps_per_second']:>8,.0f}",
            flush=True,
        )
    assert peer.stdin is not None
    peer.stdin.close()
    peer.wait()
    if args.json:
        Path(args.json).write_text(json.dumps({"threads": args.threads, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
