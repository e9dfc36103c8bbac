"""The models of ``tasks.py`` in PyTorch, and the process that takes their steps when it is told to.

As one writes them there: nn.LSTM, teacher forcing and attention over all steps at once, arrays with time first, AdamW.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any

import torch
from step import timed
from tasks import CHARACTERS, DIGITS, FEATURES, IMAGE, LETTERS, PHONES, ROUND, SYMBOLS, TAGS, VIEWS, WORDS, made_up
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

Settings = dict[str, Any]
NONE = -100  # the target where there is no step


class Reader(nn.Module):
    """An LSTM in both directions over padded sequences, which nn.LSTM reads sooner than packed ones.

    A bidirectional nn.LSTM would begin with the padding on its way back. So there are two, and the second one is given
    every sequence back to front: the padding then comes last for both, where it changes nothing.
    """

    def __init__(self, width: int, settings: Settings) -> None:
        super().__init__()
        self.forwards = nn.LSTM(width, settings["hidden"])
        self.backwards = nn.LSTM(width, settings["hidden"])
        self.size = 2 * settings["hidden"]

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """(T, N, D) to (T, N, 2H), and where there is no step, (T, N)."""
        T, N, _ = x.shape
        steps = torch.arange(T)[:, None]
        absent = steps >= lengths
        reversal = (torch.where(absent, steps, lengths - 1 - steps) * N + torch.arange(N)).flatten()
        y, _ = self.forwards(x)
        z, _ = self.backwards(x.flatten(0, 1).index_select(0, reversal).view_as(x))
        return torch.cat((y, z.flatten(0, 1).index_select(0, reversal).view_as(z)), 2), absent


class Encoder(nn.Module):
    """The same over packed sequences: of padded ones, nn.LSTM does not give the memory c of each one's last step."""

    def __init__(self, width: int, settings: Settings) -> None:
        super().__init__()
        self.lstm = nn.LSTM(width, settings["hidden"], bidirectional=True)
        self.size = 2 * settings["hidden"]

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """(T, N, D) to (T, N, 2H), and the last states, each (1, N, 2H)."""
        y, (h, c) = self.lstm(pack_padded_sequence(x, lengths))
        return pad_packed_sequence(y)[0], (torch.cat((*h,), 1)[None], torch.cat((*c,), 1)[None])


class Words(nn.Module):
    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, settings["embedding"])
        self.dropout = nn.Dropout(settings["dropout"])
        self.reader = Reader(settings["embedding"], settings)
        self.output = nn.Linear(self.reader.size, 1)

    def forward(self, ids: Tensor, lengths: Tensor, targets: Tensor) -> Tensor:
        """The loss, as of all the models here."""
        y, absent = self.reader(self.dropout(self.embedding(ids)), lengths)
        logits = self.output(self.dropout(y.masked_fill(absent[..., None], -torch.inf).max(0).values))
        return F.binary_cross_entropy_with_logits(logits[:, 0], targets)


class Numbers(nn.Module):
    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.lstm = nn.LSTM(IMAGE, settings["hidden"], bidirectional=True)
        self.dropout = nn.Dropout(settings["dropout"])
        self.output = nn.Linear(2 * settings["hidden"], DIGITS)

    def forward(self, steps: Tensor, targets: Tensor) -> Tensor:
        y, _ = self.lstm(steps)
        return F.cross_entropy(self.output(self.dropout(y.max(0).values)), targets)


class Tagger(nn.Module):
    def __init__(self, settings: Settings) -> None:
        super().__init__()
        widths = [settings["embedding"], *[settings["embedding"] // 4] * (len(VIEWS) - 1)]
        self.views = nn.ModuleList(nn.Embedding(size, width) for size, width in zip(VIEWS, widths, strict=True))
        self.dropout = nn.Dropout(settings["dropout"])
        self.reader = Reader(sum(widths), settings)
        self.output = nn.Linear(self.reader.size, TAGS)

    def forward(self, views: Tensor, lengths: Tensor, targets: Tensor) -> Tensor:
        x = torch.cat([table(ids) for table, ids in zip(self.views, views, strict=True)], 2)
        y, _ = self.reader(self.dropout(x), lengths)
        return F.cross_entropy(self.output(self.dropout(y)).flatten(0, 1), targets.flatten(), ignore_index=NONE)


class Attention(nn.Module):
    def __init__(self, query: int, memory: int, output: int) -> None:
        super().__init__()
        self.score = nn.Linear(query, memory, bias=False)
        self.combine = nn.Linear(memory + query, output)

    def forward(self, h: Tensor, memory: Tensor, absent: Tensor) -> Tensor:
        """(T, N, H) and (T', N, M), and (N, 1, T') where the memory has no step, to (T, N, output)."""
        scores = torch.bmm(self.score(h).transpose(0, 1), memory.permute(1, 2, 0)).masked_fill(absent, -torch.inf)
        context = torch.bmm(scores.softmax(2), memory.transpose(0, 1)).transpose(0, 1)
        return torch.tanh(self.combine(torch.cat((context, h), 2)))


class Decoder(nn.Module):
    """Padded: what comes after the end of a target changes nothing before it, and its loss is not counted."""

    def __init__(self, symbols: int, hidden: int, settings: Settings, memory: int | None = None) -> None:
        super().__init__()
        self.embedding = nn.Embedding(symbols + 1, settings["embedding"])
        self.lstm = nn.LSTM(settings["embedding"], hidden)
        self.attention = None if memory is None else Attention(hidden, memory, hidden)
        self.dropout = nn.Dropout(settings["dropout"])
        self.output = nn.Linear(hidden, symbols + 1)

    def forward(
        self,
        given: Tensor,
        wanted: Tensor,
        state: tuple[Tensor, Tensor],
        memory: Tensor | None = None,
        absent: Tensor | None = None,
    ) -> Tensor:
        told, _ = self.lstm(self.embedding(given), state)
        if self.attention is not None:
            told = self.attention(told, memory, absent)
        return F.cross_entropy(self.output(self.dropout(told)).flatten(0, 1), wanted.flatten(), ignore_index=NONE)


class EncoderDecoder(nn.Module):
    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.embedding = nn.Embedding(LETTERS, settings["embedding"])
        self.dropout = nn.Dropout(settings["dropout"])
        self.encoder = Encoder(settings["embedding"], settings)
        self.decoder = Decoder(PHONES, self.encoder.size, settings, self.encoder.size)

    def forward(self, ids: Tensor, lengths: Tensor, absent: Tensor, given: Tensor, wanted: Tensor) -> Tensor:
        memory, state = self.encoder(self.dropout(self.embedding(ids)), lengths)
        return self.decoder(given, wanted, state, memory, absent)


class Captioner(nn.Module):
    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.first = nn.Linear(FEATURES, settings["hidden"])
        self.second = nn.Linear(settings["hidden"], 2 * settings["hidden"])
        self.decoder = Decoder(CHARACTERS, settings["hidden"], settings)

    def forward(self, features: Tensor, given: Tensor, wanted: Tensor) -> Tensor:
        h, c = torch.tanh(self.second(torch.tanh(self.first(features)))).chunk(2, 1)
        return self.decoder(given, wanted, (h[None].contiguous(), c[None].contiguous()))


class LanguageModelNetwork(nn.Module):
    """Goes on from the state that the step before left."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.lstm = nn.LSTM(SYMBOLS, settings["hidden"])
        self.dropout = nn.Dropout(settings["dropout"])
        self.output = nn.Linear(settings["hidden"], SYMBOLS)
        self.state: tuple[Tensor, Tensor] | None = None

    def forward(self, ids: Tensor, followers: Tensor) -> Tensor:
        y, (h, c) = self.lstm(F.one_hot(ids, SYMBOLS).float(), self.state)
        self.state = h.detach(), c.detach()
        return F.cross_entropy(self.output(self.dropout(y)).flatten(0, 1), followers.flatten())


MODELS: dict[str, Callable[[Settings], nn.Module]] = {
    **{"words": Words, "numbers": Numbers, "tag": Tagger, "seq2seq": EncoderDecoder, "caption": Captioner},
    "lm": LanguageModelNetwork,
}


def batches(name: str, settings: Settings) -> list[tuple[Tensor, ...]]:
    """What the model of a row takes, for each batch of the round."""
    size, window = settings["batch"], settings["max_length"]
    made = made_up(name, size, window)
    if name == "lm":
        text = torch.from_numpy(made["text"]).long()
        ids, followers = (text[shift : shift + len(text) - 1].view(size, -1).T for shift in (0, 1))
        return [
            (ids[begin : begin + window].contiguous(), followers[begin : begin + window].contiguous())
            for begin in range(0, len(ids), window)
        ]
    result: list[tuple[Tensor, ...]] = []
    for begin in range(0, ROUND * size, size):
        inputs, targets = (made[side][begin : begin + size] for side in ("inputs", "targets"))
        order = sorted(range(size), key=lambda row: -len(inputs[row]))  # longest first, as packing wants it
        inputs, targets = [inputs[row] for row in order], [targets[row] for row in order]
        lengths = torch.tensor([len(sequence) for sequence in inputs])
        if name == "words":
            result.append((_padded(inputs), lengths, torch.tensor(targets, dtype=torch.float32)))
        elif name == "numbers":
            result.append((torch.stack([torch.from_numpy(steps) for steps in inputs], 1), torch.tensor(targets)))
        elif name == "tag":
            views = torch.from_numpy(made["views"])[_padded(inputs)]  # (T, N, sides)
            result.append((views.permute(2, 0, 1).contiguous(), lengths, _padded(targets, NONE)))
        elif name == "seq2seq":
            absent = torch.arange(int(lengths.max())) >= lengths[:, None]
            result.append((_padded(inputs), lengths, absent[:, None], *_given_and_wanted(targets, PHONES)))
        else:
            result.append((torch.stack(list(map(torch.from_numpy, inputs))), *_given_and_wanted(targets, CHARACTERS)))
    return result


def _padded(sequences: list[Any], value: int = 0) -> Tensor:
    return pad_sequence([torch.from_numpy(sequence).long() for sequence in sequences], padding_value=value)


def _given_and_wanted(targets: list[Any], end: int) -> tuple[Tensor, Tensor]:
    """The end, then the target; the target, then the end."""
    given = F.pad(_padded(targets), (0, 0, 1, 0), value=end)
    wanted = F.pad(_padded(targets, NONE), (0, 0, 0, 1), value=NONE)
    wanted[[len(target) for target in targets], torch.arange(len(targets))] = end
    return given, wanted


def step_of(model: nn.Module, settings: Settings, rows: Iterator[tuple[Tensor, ...]]) -> Callable[[], None]:
    """What takes the steps of a round."""
    options = {"lr": settings["lr"], "weight_decay": settings["weight_decay"]}
    optimizer = torch.optim.AdamW(model.parameters(), **options, fused=True)

    def steps() -> None:
        for _ in range(ROUND):
            optimizer.zero_grad()
            model(*next(rows)).backward()
            nn.utils.clip_grad_norm_(model.parameters(), settings["clip"])
            optimizer.step()

    return steps


def main() -> None:
    """For each line of a row's name and settings makes its model, for each ``go`` times a block of it."""
    torch.set_num_threads(int(sys.argv[1]))
    steps: Callable[[], None] = lambda: None  # noqa: E731
    for line in sys.stdin:
        if line.strip() == "go":
            print(timed(steps) / ROUND, flush=True)
            continue
        asked = json.loads(line)
        torch.manual_seed(0)
        model = MODELS[asked["name"]](asked["settings"])
        steps = step_of(model, asked["settings"], cycle(batches(asked["name"], asked["settings"])))
        timed(steps)
        sizes = {name: parameter.numel() for name, parameter in model.named_parameters()}
        second = sum(size for name, size in sizes.items() if "bias_hh" in name)
        print(json.dumps({"parameters": sum(sizes.values()), "second_biases": second}), flush=True)


if __name__ == "__main__":
    main()
