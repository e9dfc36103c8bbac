"""Predicting a whole file beside PyTorch and ONNX Runtime, with the same weights: words a second.

There are two tables. In the first, nobody tokenizes: every side is given the same sequences of ids, and its time is
that of making batches of them and of the network; their scores have to agree. In the second, every side reads the file,
cuts its texts into words, looks these up and runs the network; ours does so as ``rnncli predict FILE`` does, and names
the unknown words of each text, too.

The network is untrained, of the sizes in ``peer.yaml``; what it answers does not matter here. All sides run by turns in
one run, each in a process of its own with the same number of threads (ours: processes). For PyTorch and ONNX Runtime
sequences are sorted by length, and batches are padded. Each has two rows: as a program usually runs it, with batches
of 128 and all threads within an operator; and in the way that a trial on a part of the sequences finds to be its
quickest, of several sizes of a batch, and of threads within an operator or one batch a thread.

    python benchmarks/predict.py TRAIN.csv TEST.csv --peer PEER.py --peer-python VENV/bin/python
        --onnx-python VENV/bin/python [--rounds 5] [--threads 2]

The peer is a script with a ``Classifier(args, vocabulary, labels)`` of the layers ``embedding``, ``recurrent`` and
``output``, called with padded tokens (T, N) and lengths (N,). The third Python has ``onnx`` and ``onnxruntime``.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import importlib.util
import itertools
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

SETTINGS = Path(__file__).with_name("peer.yaml")
ENGINES = ("numpy", "compiled")
PEERS = {"torch": "PyTorch", "onnx": "ONNX Runtime"}
USUAL, QUICKEST = "usual", "quickest"
USUAL_BATCH, BATCHES = 128, (32, 64, 128, 256)
TRIAL_PARTS = 12  # a trial takes a twelfth of the sequences, of all lengths
MOST_DIFFERENCE = 1e-5  # between two sides' probabilities
OUR_GATES, ONNX_GATES, TORCH_GATES = "oifg", "iofg", "ifgo"  # the order of an LSTM's
WORD = re.compile(r"\w+|[^\w\s]")
REST_SECONDS = 0.5  # between two sides: threads of the other program may go on spinning for a while

# Runs a network over padded batches: tokens (T, N) and lengths (N,) to the second label's probability (N,).
Run = Callable[[Any, Any], Any]


def words_of(path: str) -> list[list[str]]:
    """The words of the column ``text``, as a reader of few lines cuts them."""
    csv.field_size_limit(10**9)
    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8", newline="") as file:
        return [WORD.findall(row["text"].lower()) for row in csv.DictReader(file)]


def gates_in(order: str, columns: Any) -> Any:
    """Our (D, 4·H) or (4·H,) with the gates in another order, and their rows in place of columns: (4·H, D)."""
    import numpy as np

    apart = np.split(columns, len(OUR_GATES), axis=-1)
    return np.ascontiguousarray(np.concatenate([apart[OUR_GATES.index(gate)].T for gate in order]))


def onnx_network(weights: Mapping[str, Any]) -> bytes:
    """Embedding, LSTM over sequences of several lengths, last state, linear layer, σ, as an ONNX model."""
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    bias = gates_in(ONNX_GATES, weights["bias"])
    constants = {
        "E": weights["embedding"],
        "W": gates_in(ONNX_GATES, weights["weight_ih"])[None],
        "R": gates_in(ONNX_GATES, weights["weight_hh"])[None],
        "B": np.concatenate([bias, np.zeros_like(bias)])[None],
        "V": weights["output"],
        "b": weights["output_bias"],
        "first": np.array([0], np.int64),
    }
    nodes = [
        helper.make_node("Gather", ["E", "tokens"], ["x"]),
        helper.make_node("LSTM", ["x", "W", "R", "B", "lengths"], ["", "last"], hidden_size=len(weights["weight_hh"])),
        helper.make_node("Squeeze", ["last", "first"], ["h"]),
        helper.make_node("Gemm", ["h", "V", "b"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], ["probabilities"]),
    ]
    inputs = [
        helper.make_tensor_value_info("tokens", TensorProto.INT64, ["T", "N"]),
        helper.make_tensor_value_info("lengths", TensorProto.INT32, ["N"]),
    ]
    outputs = [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", 1])]
    stored = [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "classifier", inputs, outputs, stored)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.checker.check_model(made)
    return bytes(made.SerializeToString())


def onnx_run(weights: Mapping[str, Any], peer: str, inside: int) -> Run:
    """The network in ONNX Runtime, with so many threads within an operator."""
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = inside, 1
    session = onnxruntime.InferenceSession(onnx_network(weights), options, providers=["CPUExecutionProvider"])

    def run(tokens: Any, lengths: Any) -> Any:
        return session.run(None, {"tokens": tokens, "lengths": lengths.astype(np.int32)})[0][:, 0]

    return run


def torch_run(weights: Mapping[str, Any], peer: str, inside: int) -> Run:
    """The network in PyTorch, with so many threads within an operator."""
    import numpy as np
    import torch

    torch.set_num_threads(inside)
    spec = importlib.util.spec_from_file_location("peer", peer)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    vocabulary, embedding = weights["embedding"].shape
    sizes = {"embedding": embedding, "hidden": len(weights["weight_hh"])}
    args = types.SimpleNamespace(cell="LSTM", pool="last", bidirectional=False, dropout=0.0, **sizes)
    model = module.Classifier(args, vocabulary, 2).eval()
    bias, logit = gates_in(TORCH_GATES, weights["bias"]), weights["output"].T
    values = {
        "embedding.weight": weights["embedding"],
        "recurrent.weight_ih_l0": gates_in(TORCH_GATES, weights["weight_ih"]),
        "recurrent.weight_hh_l0": gates_in(TORCH_GATES, weights["weight_hh"]),
        "recurrent.bias_ih_l0": bias,
        "recurrent.bias_hh_l0": np.zeros_like(bias),
        "output.weight": np.concatenate([np.zeros_like(logit), logit]),
        "output.bias": np.concatenate([[0.0], weights["output_bias"]]).astype(np.float32),
    }
    model.load_state_dict({name: torch.from_numpy(value) for name, value in values.items()})

    def run(tokens: Any, lengths: Any) -> Any:
        with torch.inference_mode():
            return model(torch.from_numpy(tokens), torch.from_numpy(lengths)).softmax(1)[:, 1].numpy()

    return run


class Padded:
    """A peer: batches of sequences of like lengths, padded with zeros.

    Args:
        network: makes its :data:`Run`, given weights, the peer's script and how many threads an operator has.
        args: of the command line.
    """

    def __init__(self, network: Callable[[Mapping[str, Any], str, int], Run], args: argparse.Namespace) -> None:
        import numpy as np

        given = np.load(Path(args.folder, "given.npz"))
        self._ids = np.split(given["ids"].astype(np.int64), np.cumsum(given["lengths"])[:-1])
        self._words = {word: id for id, word in enumerate(Path(args.folder, "words").read_text("utf-8").split("\n"))}
        self._unknown, self._limit, self._test = int(given["unknown"]), int(given["limit"]), args.test
        weights = {name: given[name] for name in given.files}
        # PyTorch has one number of threads for the whole process: the way is set anew before each run.
        ways = {inside: partial(network, weights, args.peer, inside) for inside in dict.fromkeys((args.threads, 1))}
        self._ways, self._threads = ways, args.threads
        by_length = sorted(self._ids, key=len)[::TRIAL_PARTS]
        trials = []
        for inside in ways:
            for size in BATCHES:
                self._use(size, inside)
                self.scores(by_length[:: TRIAL_PARTS // 2])
                begin = time.perf_counter()
                self.scores(by_length)
                trials.append((time.perf_counter() - begin, size, inside))
        self._forms = {USUAL: (USUAL_BATCH, args.threads), QUICKEST: min(trials)[1:]}
        self.forms = {
            form: f"batches of {size}, {args.threads // inside} at a time, {inside} thread(s) each"
            for form, (size, inside) in self._forms.items()
        }

    def prepare(self, form: str) -> None:
        self._use(*self._forms[form])
        self.scores(self._ids[:USUAL_BATCH])

    def _use(self, size: int, inside: int) -> None:
        self._size, self._run, self._pool = size, self._ways[inside](), ThreadPoolExecutor(self._threads // inside)

    def scores(self, sequences: Sequence[Any]) -> Any:
        """(N,) the second label's probability of each."""
        import numpy as np

        lengths = np.array([len(one) for one in sequences], np.int64)
        order = np.argsort(-lengths, kind="stable")
        parts = [order[first : first + self._size] for first in range(0, len(order), self._size)]

        def of_part(rows: Any) -> Any:
            tokens = np.zeros((lengths[rows[0]], len(rows)), np.int64)
            for column, row in enumerate(rows):
                tokens[: lengths[row], column] = sequences[row]
            return self._run(tokens, lengths[rows])

        found = np.empty(len(sequences), np.float32)
        found[order] = np.concatenate(list(self._pool.map(of_part, parts)))
        return found

    def network(self) -> Any:
        return self.scores(self._ids)

    def file(self) -> Any:
        import numpy as np

        known, unknown = self._words.get, self._unknown
        return self.scores(
            [
                np.array([known(word, unknown) for word in words[: self._limit]] or [unknown])
                for words in words_of(self._test)
            ]
        )


class Ours:
    """rnncli, with one of its engines.

    Args:
        engine: its name.
        args: of the command line.
    """

    def __init__(self, engine: str, args: argparse.Namespace) -> None:
        from rnncli import blas

        blas.set_up()  # as the command line does
        import numpy as np

        from rnncli.core.engine import library

        library.use(engine)  # type: ignore[arg-type]
        self._engine, self._model = engine, our_model(args.folder)
        given = np.load(Path(args.folder, "given.npz"))
        self._lengths = given["lengths"].tolist()
        self._ids = np.split(given["ids"], np.cumsum(given["lengths"])[:-1])
        self._test, self._workers = args.test, args.threads
        level = library.status().level
        self.forms = {USUAL: f"batches of 128, packed, {args.threads} process(es){f', {level}' if level else ''}"}

    def prepare(self, form: str) -> None:
        self._model.outputs(self._ids[:USUAL_BATCH])  # the engine has tested itself

    def network(self) -> Any:
        import numpy as np

        from rnncli.core.cells.compiled import weights_at_rest
        from rnncli.core.engine import library
        from rnncli.parallel.chunks import map_rows
        from rnncli.tasks.model import CHUNK

        def scores(rows: list[int]) -> Any:
            return self._model.outputs([self._ids[row] for row in rows])[:, 1]

        with weights_at_rest(), library.using(self._engine):  # as a file is predicted
            return np.array(map_rows(scores, self._lengths, CHUNK, self._workers))

    def file(self) -> Any:
        import numpy as np

        import rnncli

        found: list[float] = []
        second = self._model.labels[1]
        rnncli.predict(
            Path(self._test),
            self._model,
            workers=self._workers,
            engine=self._engine,
            on_prediction=lambda one: found.append(one.probabilities[second]),
        )
        return np.array(found)


def give(args: argparse.Namespace) -> None:
    """Writes the model's weights and the ids of the test file for all sides."""
    import numpy as np

    model = our_model(args.folder)
    ids = [model.read(text).values for text in texts_of(args.test)]
    ids = [one if len(one) else np.array([model.input.vocabulary.unknown], np.int32) for one in ids]
    layer, output = model.params["encoder"]["0"]["forward"], model.params["output"]
    np.savez(
        Path(args.folder, "given.npz"),
        ids=np.concatenate(ids),
        lengths=np.array(list(map(len, ids))),
        unknown=model.input.vocabulary.unknown,
        limit=model.settings.max_length,
        embedding=model.params["embedding"]["weight"],
        output=output["weight"],
        output_bias=output["bias"],
        **layer,
    )
    Path(args.folder, "words").write_text("\n".join(model.input.vocabulary.tokens), "utf-8")


def our_model(runs: str) -> Any:
    from rnncli.tasks.model import Model
    from rnncli.training.runs import find_model

    return Model.load(find_model("latest", Path(runs)))


def texts_of(path: str) -> Iterator[str]:
    """As our command reads them."""
    from rnncli.data.dataset import Source
    from rnncli.data.inputs import stream_inputs

    for one in stream_inputs(Source(path)):
        yield str(one.value)


def serve(args: argparse.Namespace) -> None:
    """One side, in a process of its own.

    It prints its forms, and for each line, a form and ``network`` or ``file``, the seconds that this has taken.
    """
    name = args.serve
    if name == "give":
        give(args)
        return
    networks = {"torch": torch_run, "onnx": onnx_run}
    side: Padded | Ours = Padded(networks[name], args) if name in networks else Ours(name, args)
    import numpy as np  # after ours has set what it multiplies with

    print(json.dumps(side.forms), flush=True)
    for line in sys.stdin:
        form, what = line.split()
        side.prepare(form)
        begin = time.perf_counter()
        scores = getattr(side, what)()
        took = time.perf_counter() - begin
        np.save(Path(args.folder, f"{name} {form} {what}.npy"), scores)
        print(took, flush=True)


class Side:
    """A process that serves."""

    def __init__(self, python: str, name: str, folder: str, args: argparse.Namespace) -> None:
        command = [python, __file__, args.train, args.test, "--folder", folder, "--threads", str(args.threads)]
        command += ["--serve", name, *(["--peer", args.peer] if args.peer else [])]
        # An operator's threads are counted by each side; this is for libraries that count them by themselves.
        threads = {"OMP_NUM_THREADS": str(args.threads)} if name in PEERS else {}
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=os.environ | threads)
        self.forms: dict[str, str] = json.loads(self._line())

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("a side has ended: see above")
        return line.strip()

    def measure(self, form: str, what: str) -> float:
        assert self._process.stdin is not None
        print(form, what, file=self._process.stdin, flush=True)
        return float(self._line())

    def close(self) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()


def processor() -> str:
    """What Linux calls it, with family and model: one name may be of several generations."""
    with suppress(OSError):
        entries = [line.partition(":") for line in Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()]
        said = {name.strip(): value.strip() for name, _, value in entries}
        if "model name" in said:
            wide = "with" if "avx512f" in said.get("flags", "").split() else "without"
            return f"{said['model name']} (family {said.get('cpu family')}, model {said.get('model')}), {wide} AVX-512"
    import platform

    return platform.processor() or platform.machine()


def ratio(theirs: Sequence[float], ours: Sequence[float]) -> float:
    """How many times as fast we are: the median over the rounds."""
    return statistics.median(a / b for a, b in zip(theirs, ours, strict=True))


def title_of(row: str) -> str:
    name, form = row.split()
    return f"{PEERS[name]}, {form}" if name in PEERS else f"rnncli, {name}"


def table(seconds: Mapping[str, Sequence[float]], hows: Mapping[str, str], words: int) -> Iterator[str]:
    """The lines of a table: medians, and the ratios of the peers' times to each side's, round by round."""
    peers = [row for row in seconds if row.split()[0] in PEERS]
    yield "  ".join(
        ["#", f"{'':<22}", f"{'s':>6}", f"{'words/s':>9}", *(f"to {n}".rjust(5) for n, _ in enumerate(peers, 1))]
    )
    for number, (row, taken) in enumerate(seconds.items(), 1):
        middle = statistics.median(taken)
        cells = [str(number), f"{title_of(row):<22}", f"{middle:6.2f}", f"{words / middle:>9,.0f}"]
        cells += [f"{ratio(seconds[peer], taken):>5.2f}" for peer in peers]
        yield "  ".join([*cells, hows[row]])


def largest_difference(scores: Mapping[str, Any]) -> float:
    """Between any two sides' probabilities of an input."""
    return max((float(abs(a - b).max()) for a, b in itertools.combinations(scores.values(), 2)), default=0.0)


def compare(args: argparse.Namespace, folder: str) -> None:
    import numpy as np

    pythons = {"torch": args.peer_python if args.peer else None, "onnx": args.onnx_python}
    pythons |= dict.fromkeys(args.engines, sys.executable)
    with ExitStack() as stack:
        rows: dict[str, Side] = {}
        for name, python in pythons.items():
            if python is not None:
                side = Side(python, name, folder, args)
                stack.callback(side.close)
                rows |= dict.fromkeys([f"{name} {form}" for form in side.forms], side)
        hows = {row: side.forms[row.split()[1]] for row, side in rows.items()}
        words = int(np.load(Path(folder, "given.npz"))["lengths"].sum())
        print(f"{args.threads} thread(s) on {processor()}; {words:,} words are read")
        print('"to 1" is the time of row 1 over that of the row, round by round: above 1 the row is faster.')
        figures: dict[str, dict[str, list[float]]] = {}
        for what, title in (
            ("network", "The network alone: all sides are given the same ids, and nobody tokenizes."),
            ("file", "The whole file: all sides read it, cut texts into words, look these up, and run the network."),
        ):
            seconds = figures[what] = {row: [] for row in rows}
            for _ in range(args.rounds):
                for row, side in rows.items():
                    time.sleep(REST_SECONDS)
                    seconds[row].append(side.measure(row.split()[1], what))
            print("", title, *table(seconds, hows, words), sep="\n", flush=True)
            # The peers cut texts in another way: only of ours are a file's ids those of the first table.
            same = [row for row in rows if what == "network" or row.split()[0] in ENGINES]
            files = [f"{row} {what}.npy" for row in same] + [f"{row} network.npy" for row in same]
            difference = largest_difference({file: np.load(Path(folder, file)) for file in files})
            assert difference <= MOST_DIFFERENCE, f"the sides' probabilities differ by {difference}"
            of = "all sides" if what == "network" else "our engines, those of the first table included,"
            print(f"The probabilities of {of} differ by {difference:.1e} at most.")
    if args.json:
        Path(args.json).write_text(json.dumps({"how": hows, "seconds": figures, "words": words}, indent=1) + "\n")


def run(command: Iterable[str]) -> None:
    subprocess.run(list(command), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train")
    parser.add_argument("test")
    parser.add_argument("--peer", help="the PyTorch script; without it, PyTorch is left out")
    parser.add_argument("--peer-python", default=sys.executable, help="a Python that has PyTorch")
    parser.add_argument("--onnx-python", help="a Python that has onnx and onnxruntime; without it, they are left out")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES), help="ours, each with its row")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", help="write the figures to this file")
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    parser.add_argument("--serve", choices=("give", *PEERS, *ENGINES), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve(args)
        return
    with tempfile.TemporaryDirectory() as folder:
        train = ["train", args.train, "--config", str(SETTINGS), "--epochs", "0", "--runs", folder]
        run([sys.executable, "-m", "rnncli", *train])
        run([sys.executable, __file__, args.train, args.test, "--folder", folder, "--serve", "give"])
        compare(args, folder)


if __name__ == "__main__":
    main()
