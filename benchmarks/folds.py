"""A small labelled file by k-fold cross-validation: rnncli by its defaults beside a bag of k-mers (runs of k letters).

The folds are stratified and a function of the seed. Both learn from the same rows of each fold and are scored on the
same others; the bag is a logistic regression on the TF-IDF of the overlapping k-mers of each text. What follows ``--``
goes to ``rnncli train``.

    python benchmarks/folds.py DATA.csv [--folds 10] [--kmer 3] [--seed 0] [-- --hidden 64 …]
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from rnncli.config import Settings
from rnncli.data.dataset import Source
from rnncli.data.opening import read_dataset
from rnncli.data.text.tokenizer import Tokenizer
from rnncli.data.text.vocabulary import Corpus, build_vocabulary
from rnncli.tasks.classify.network import Classifier
from rnncli.tasks.many_to_one.bag_of_words import BagOfWords
from rnncli.tasks.many_to_one.network import Examples


def folds_of(labels: list[str], count: int, seed: int) -> np.ndarray:
    """(rows,) the fold of each row; every label is dealt out evenly, one label going on where the one before ended."""
    rng = np.random.default_rng(seed)
    fold = np.empty(len(labels), np.int64)
    dealt = 0
    for label in sorted(set(labels)):
        rows = rng.permutation([row for row, other in enumerate(labels) if other == label])
        fold[rows] = (dealt + np.arange(len(rows))) % count
        dealt += len(rows)
    return fold


def bag_right(texts: list[str], targets: np.ndarray, held_out: np.ndarray, k: int) -> int:
    """How many held-out rows a bag of k-mers answers right."""
    corpus, tokenizer = Corpus(), Tokenizer("word", True, True)
    for text in texts:
        corpus.add(tokenizer.tokens(" ".join(text[i : i + k] for i in range(len(text) - k + 1))))
    train = np.flatnonzero(~held_out)
    vocabulary = build_vocabulary(corpus.counts(train))
    whole = Examples(corpus.encode(vocabulary), targets)
    network = Classifier(Settings(), vocabulary.size, int(targets.max()) + 1)
    bag = BagOfWords.fit(whole.take(train), vocabulary.size, network)
    return int(bag.scored(whole.take(np.flatnonzero(held_out)), network).sums.sum())


def network_right(texts: list[str], labels: list[str], held_out: np.ndarray, options: list[str]) -> int:
    """How many held-out rows the network answers right, trained and asked by the command line."""
    with tempfile.TemporaryDirectory() as folder:
        for name, chosen in (("train", ~held_out), ("test", held_out)):
            with (Path(folder) / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
                rows = [(texts[row], labels[row]) for row in np.flatnonzero(chosen).tolist()]
                csv.writer(file).writerows([("text", "label"), *rows])
        command = [sys.executable, "-m", "rnncli"]
        where = ["--runs", folder + "/runs"]
        subprocess.run([*command, "train", folder + "/train.csv", *where, *options], check=True, capture_output=True)
        asked = [*command, "predict", folder + "/test.csv", *where, "--json"]
        answers = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.split("\n")
    told = [json.loads(line)["label"] for line in answers if line]
    wanted = [labels[row] for row in np.flatnonzero(held_out).tolist()]
    return sum(one == other for one, other in zip(told, wanted, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--kmer", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("options", nargs="*", help="for rnncli train, after --")
    args = parser.parse_args()
    dataset = read_dataset(Source(args.data))
    texts, labels = dataset.texts, dataset.labels
    number = {label: k for k, label in enumerate(sorted(set(labels)))}
    targets = np.array([number[label] for label in labels])
    fold = folds_of(labels, args.folds, args.seed)
    right = np.zeros(2, np.int64)
    print(f"fold  rows  rnncli  bag of {args.kmer}-mers")
    for k in range(args.folds):
        held_out = fold == k
        found = network_right(texts, labels, held_out, args.options), bag_right(texts, targets, held_out, args.kmer)
        right += found
        print(f"{k + 1:>4}  {held_out.sum():>4}  {found[0]:>6}  {found[1]:>6}", flush=True)
    network, bag = right / len(labels)
    print(f"all   {len(labels):>4}  {network:.4f}  {bag:.4f}")


if __name__ == "__main__":
    main()
