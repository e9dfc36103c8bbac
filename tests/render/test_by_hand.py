"""What is printed of an example worked by hand can be worked out again from what is printed, and text stays text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from attacks import ATTACKS, dangers
from by_hand_examples import MANY, MODELS, TEXT, Bounds, all_too_sure, model, notes, work_out, worked
from rich.cells import cell_len

from rnncli.inspection.adapters import adapter_of
from rnncli.render.by_hand import as_latex, as_markdown, as_text, in_ascii
from rnncli.render.by_hand_latex import Latex, latex_formula
from rnncli.render.by_hand_parts import written
from rnncli.results import ByHand, Section, Step

WIDE = 10_000
ALL = [*MODELS, *MANY]
HOSTILE = ["[/]", "\x1b[31m", "$x_1$", "</pre>", "\u202egnp", "```", "\\end{document}", "%{", "#_&~^", "⎡1⎤", "= [9 9]"]


class Printed:
    """One line of the work as it is printed: its formula, all of its text, and its result with what rounding hides."""

    def __init__(self, block: str) -> None:
        lines = block.splitlines()
        if len(lines) > 1 and set(lines[1]) == {"─"}:
            lines = lines[2:]
        if lines[0].startswith("("):  # the label had no room beside the formula
            lines = lines[1:]
        self.formula = re.split(" {4,}", lines[0])[0]
        self.name = re.split(" [=←] ", self.formula)[0]
        self.text = "\n".join(lines[1:])
        rows: list[str] = []
        for line in reversed(lines[1:]):
            found = re.match(r"^    (?:= |  )([⎡⎢⎣\[])(.*?)[⎤⎥⎦\]]", line)
            rows.insert(0, found[2] if found else line.removeprefix("    = "))
            if not found or found[1] in "⎡[":
                break
        self.entries = [row.split() for row in rows]


def bounds(entries: list[list[str]]) -> Bounds:
    """Half a unit of the last decimal either way; what has no decimals is exact."""

    def hidden(entry: str) -> float:
        digits, _, power = entry.partition("e")
        return 0.5 * 10.0 ** (int(power or 0) - len(digits.partition(".")[2])) if "." in digits else 0.0

    values = np.array(entries, dtype=float)
    rounding = np.array([[hidden(entry) for entry in row] for row in entries])
    return Bounds(values - rounding, values + rounding)


def printed(text: str) -> list[Printed]:
    start = text.index("What is given")
    return [Printed(block) for block in text[start:].strip().split("\n\n")]


def first_that_does_not_follow(lines: list[Printed]) -> str | None:
    """The formula of the first line that is not what the lines before it give, within what their rounding hides."""
    values: dict[str, Bounds] = {}
    for line in lines:
        if line.formula != line.name:
            computed = work_out(line.formula, values)
            if not computed.holds(bounds(line.entries)):
                return line.formula
        values[line.name] = bounds(line.entries)
    return None


@pytest.mark.parametrize("name", ALL)
def test_each_printed_line_can_be_worked_out_from_those_printed_before(name: str) -> None:
    """With bounds all through: the rounding of each number that goes in, and of the number that comes out.

    They are narrow enough to say something: by six digits each line comes out to a thousandth of its largest number,
    by nine better, and one that is a hundredth off is noticed. Other answers than the first one are by six digits only.
    """
    for number, found in enumerate(worked(name)):
        worst = dict.fromkeys((6,) if number else (4, 6, 9), 0.0)
        tried = 0
        for digits in worst:
            lines, values = printed(as_text(found, WIDE, digits=digits)), dict[str, Bounds]()
            assert [line.formula for line in lines] == [step.formula for step in found.steps]
            check_numbers_put_in(lines, found.steps)
            for line, step in zip(lines, found.steps, strict=True):
                right = bounds(line.entries)
                assert right.holds(Bounds(step.result)), step.formula
                if step.operands:
                    computed = work_out(line.formula, values)
                    assert computed.holds(right), step.formula
                    if step.result.any():
                        worst[digits] = max(worst[digits], computed.width / np.abs(step.result).max())
                    if digits == 6 and np.array(line.entries, dtype=float).any():
                        assert not computed.holds(a_hundredth_off(line)), step.formula
                        tried += 1
                values[line.name] = right
        assert worst[6] < 0.005
        assert worst.get(9, 0.0) <= worst[6]
        assert tried >= 25


def a_hundredth_off(line: Printed) -> Bounds:
    """The bounds of a line whose largest number is."""
    sizes = np.abs(np.array(line.entries, dtype=float))
    row, column = np.unravel_index(sizes.argmax(), sizes.shape)
    entries = [list(row) for row in line.entries]
    entries[row][column] = f"{float(entries[row][column]) * 1.01:.15f}"
    return bounds(entries)


@pytest.mark.parametrize("score", [-40, -25, -15, 15, 20, 21, 25, 40])
@pytest.mark.parametrize("label", ["0", "1"])
def test_so_can_those_of_a_model_that_is_all_too_sure(score: int, label: str) -> None:
    lines = printed(as_text(adapter_of(all_too_sure(score)).by_hand("cat mat rat", label), WIDE))
    assert first_that_does_not_follow(lines) is None


def check_numbers_put_in(lines: list[Printed], steps: Sequence[Step]) -> None:
    """They are those of the lines above."""
    known: dict[str, list[list[str]]] = {}
    for line, step in zip(lines, steps, strict=True):
        shown = re.sub(" +", " ", re.sub(r"[⎡⎢⎣⎤⎥⎦\[\]()]", " ", line.text))
        for operand in step.operands:
            entries = known[operand.removesuffix("ᵀ")]
            if operand.endswith("ᵀ"):
                entries = [list(column) for column in zip(*entries, strict=True)]
            assert all(" ".join(row) in shown for row in entries), step.formula
        known[line.name] = line.entries


EXCERPT = """\
Forward, timestep 2: mat
────────────────────────
a_2 = x_2·W_i + o_1·W_h    the sums
                ⎡ 0.500000 -0.300000⎤
    = [0 1 0 0]·⎢ 0.100000  0.800000⎥ + [0.462117 -0.291313]·⎡0.400000 -0.200000⎤
                ⎢-0.600000  0.200000⎥                        ⎣0.300000  0.100000⎦
                ⎣        0         0⎦
    = [0.197453 0.678445]

o_2 = tanh(a_2)    the output
    = tanh([0.197453 0.678445])
    = [0.194926 0.590508]

Forward, timestep 3: rat
"""
TERM = """\
∂L/∂W_h(2) = o_1ᵀ · ∂L/∂a_2    by timestep 2
    = ⎡ 0.462117⎤ · [-0.193641 -0.052984]
      ⎣-0.291313⎦
    = ⎡-0.089485 -0.024485⎤
      ⎣ 0.056410  0.015435⎦
"""
IN_ASCII = r"""
dL/do_2 = dL/da_3 * da_3/do_2
    = [-0.363993 0.278460] * / 0.400000 0.300000\
                             \-0.200000 0.100000/
"""
SAME_IN_LATEX = r"""\noindent by timestep 2
\begin{align*}
\frac{\partial L}{\partial W_{h}^{(2)}} &= o_{1}^{\top} \cdot \frac{\partial L}{\partial a_{2}} \\
&= \begin{pmatrix} 0.462117 \\ -0.291313 \end{pmatrix} \cdot \begin{pmatrix} -0.193641 & -0.052984 \end{pmatrix} \\
&= \begin{pmatrix} -0.089485 & -0.024485 \\ 0.056410 & 0.015435 \end{pmatrix}
\end{align*}
"""


def test_an_excerpt_of_each_form() -> None:
    found = adapter_of(notes()).by_hand("cat mat rat", "1")
    text = as_text(found, 90)
    assert EXCERPT in text
    assert TERM in text
    assert IN_ASCII in as_text(found, 90, ascii=True)
    page = as_markdown(found)
    assert page.startswith(
        "# By hand: cat mat rat, with the label 1 (given with \\-\\-answer)\n\n```text\na_t = x_t·W_i + o_(t−1)·W_h\n"
    )
    assert "## Gradient of the recurrent weights, ∂L/∂W_h\n\n```text\n" in page
    assert TERM in page
    assert SAME_IN_LATEX in as_latex(found)


@pytest.mark.parametrize("name", [*ALL, "large", "wide characters"])
def test_lines_keep_to_the_width(name: str) -> None:
    """All of them from the top on; below 45 cells a matrix of one column, or a name, may be wider."""
    if name == "large":
        found = adapter_of(model(hidden=8, embedding=8, input="embedding", cell="gru", bias=True)).by_hand(label="1")
    elif name == "wide characters":
        made = model(words=("好評とても長い",), labels=("好評とても長いラベルの名前", "不評"))
        found = adapter_of(made).by_hand("好評とても長い 悪")
    else:
        found = worked(name)[0]
    for width in (30, 60, 80, 120):
        text = as_text(found, width)
        for line in text.splitlines():
            assert cell_len(line) <= max(width, 45), line
        assert text.count("\n    = ") >= len(found.steps)


@pytest.mark.parametrize("name", ALL)
def test_all_that_is_to_be_known_stands_before_the_work(name: str) -> None:
    """The equations, what the signs mean that it has, and what the step at the end is."""
    found = worked(name)[0]
    text, page, plain = as_text(found, WIDE), as_markdown(found), as_text(found, WIDE, ascii=True)
    assert plain.isascii()
    number = re.compile(r"-?\d+\.\d+")
    assert number.findall(plain) == number.findall(text)
    assert len(plain.splitlines()) == len(text.splitlines())
    head = text[: text.index("What is given")]
    for equation in found.equations:
        assert f"    {equation}\n" in head
        assert f"\n{equation}\n" in page
        assert f"    {in_ascii(equation)}\n" in plain
    for note in found.notes:
        assert f"{note}\n" in head
        assert f"- {note}\n" in page
    formulas = "\n".join(step.formula for step in found.steps)
    latex = as_latex(found)
    for there, words, in_latex in (
        (True, "· is the matrix product", r"$\cdot $ is the matrix product"),
        (True, "∂L/∂W_i(2) is the term of timestep 2", "is the term of timestep 2"),
        ("ᵉ" in formulas, "Wᵉ belongs to the encoder.", r"$\bar{W}$ belongs to the encoder."),
        ("ᴵ" in formulas, "Wᴵ belongs to the first layer, Wᴵᴵ to the second", r"${{}W^{I}}$ belongs to the"),
        ("ᶠ" in formulas, "Wᶠ belongs to what reads forwards, Wᵇ to what", r"$\overrightarrow{W}$ belongs to what"),
        ("argmax" in formulas, "(j = 2) is 1 where j is 2", "$(j = 2)$ is 1 where $j$ is 2"),
        (", " in formulas and "[" in formulas, "[x, y] is x and y side by side", "$[x, y]$ is $x$ and $y$"),
        ("; " in formulas, "[x; y] is x above y", "$[x; y]$ is $x$ above $y$"),
        (re.search(r"\w\[", formulas), "x[1:2] are the columns 1 to 2 of x", "$x[1:2]$ are the columns 1 to 2"),
    ):
        assert (words in head) == bool(there), words
        assert (words in page) == bool(there), words
        assert (in_ascii(words) in plain) == bool(there), words
        assert (in_latex in latex) == bool(there), words


@pytest.mark.parametrize("name", ALL)
def test_no_two_names_look_alike(name: str) -> None:
    """In ASCII and in LaTeX too, where marks are written in another way."""
    names = {step.name for found in worked(name) for step in found.steps}
    assert len({in_ascii(one) for one in names}) == len(names)
    assert len({latex_formula(one) for one in names}) == len(names)


def test_a_number_in_parentheses_gets_no_second_pair() -> None:
    found = adapter_of(notes()).by_hand("cat mat rat", "1")
    text, latex = as_text(found, WIDE), as_latex(found)
    assert "    = σ(-0.340567)\n" in text
    assert r"&= \sigma(-0.340567)" in latex
    assert "−1·log(0.415672) − (1 − 1)·log(1 − 0.415672)" in text
    step = Step("", "s", "s = u + v", {"u": np.array([[-1.5]]), "v": np.array([[-2e-14]])}, np.array([[-1.5]]))
    made = replace(found, sections=(Section("", "", "", (step,)),))
    assert "    = (-1.500000) + (-2.00000e-14)\n" in as_text(made, WIDE)
    assert r"&= (-1.500000) + (-2.00000 \cdot 10^{-14})" in as_latex(made)


def test_latex_has_room_for_the_widest_matrix() -> None:
    """amsmath takes ten columns unless it is told; and what is wider than the page is set in a smaller size."""
    both = {"hidden": 8, "embedding": 8, "input": "embedding", "bidirectional": True, "bias": True}
    found = adapter_of(model(words=tuple("abcdefghijk"), **both)).by_hand("a b", "1")
    widest = max(step.result.shape[1] for step in found.steps)
    assert widest == 16
    page = as_latex(found)
    (columns,) = re.findall(r"\\setcounter\{MaxMatrixCols\}\{(\d+)\}", page)
    assert int(columns) >= widest
    wide = [step for step in found.steps if step.result.shape[1] == 16]
    assert page.count(r"{\tiny") == page.count(r"\end{align*}}") >= len(wide)
    assert r"{\tiny" not in as_latex(adapter_of(notes()).by_hand(TEXT, "1"))


def test_a_sum_is_parted_at_its_terms_and_a_product_only_where_it_must_be() -> None:
    row = np.full((1, 4), 0.25)
    step = Step("", "s", "s = (a − b) ⊙ c + d ⊙ e", dict.fromkeys("abcde", row), row)
    made = replace(adapter_of(notes()).by_hand("cat", "1"), sections=(Section("", "", "", (step,)),))
    numbers = "[0.250000 0.250000 0.250000 0.250000]"
    assert len(numbers) == 37

    def lines(width: int) -> list[str]:
        text = as_text(made, width)
        return text[text.index("s = (a") :].splitlines()[1:-1]

    product = f"({numbers} − {numbers}) ⊙ {numbers}"
    assert lines(240) == [f"    = {product} + {numbers} ⊙ {numbers}"]
    assert lines(130) == [f"    = {product}", f"       + {numbers} ⊙ {numbers}"]
    assert lines(90) == [f"    = ({numbers} − {numbers})", f"       ⊙ {numbers}", f"       + {numbers} ⊙ {numbers}"]
    parted = [f"    = ({numbers}", f"       − {numbers})", f"       ⊙ {numbers}"]
    assert lines(60) == [*parted, f"       + {numbers}", f"       ⊙ {numbers}"]
    assert not any("⊙" in line for line in lines(40))  # not even one of them has room


def test_a_matrix_that_is_too_wide_goes_on_below() -> None:
    made = model(hidden=8, seed=1)
    found = adapter_of(made).by_hand()
    text = as_text(found, 40)
    block = next(block for block in text.split("\n\n") if block.startswith("W_h    "))
    parts = re.split(r"    columns \d to \d of 8:\n", block)[1:]
    assert len(parts) == 3
    read = [
        [re.search(r"[⎡⎢⎣](.*)[⎤⎥⎦]", line)[1].split() for line in part.splitlines()]  # type: ignore[index]
        for part in parts
    ]
    whole = [[entry for part in read for entry in part[row]] for row in range(8)]
    (step,) = (step for step in found.steps if step.formula == "W_h")
    assert whole == written(step.result)
    assert first_that_does_not_follow(printed(as_text(found, WIDE))) is None


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([[0.0, 1.0, -0.0]], ["0", "1", "0"]),
        ([[3.0]], ["3"]),
        ([[0.5, 0.0]], ["0.500000", "0"]),
        ([[0.000123456, -0.5]], ["0.000123", "-0.500000"]),
        ([[0.000123456]], ["0.0001235"]),
        ([[1 - 1.2344e-7]], ["0.9999998766"]),
        ([[1.2345678e-13, 0.0]], ["1.23457e-13", "0"]),
        ([[0.5, -1.2345678e-9]], ["0.500000", "-1.23457e-09"]),
        ([[1234567.8, 2.0]], ["1.23457e+06", "2.00000e+00"]),
        ([[123456.7, 2.0]], ["123456.700000", "2.000000"]),
    ],
)
def test_how_a_number_is_written(values: list[list[float]], shown: list[str]) -> None:
    assert written(np.array(values)) == [shown]


def hostile_result() -> ByHand:
    """Every place for a word of the data taken by each of the attacks in turn."""
    made = model(words=tuple(HOSTILE), labels=("</pre>", "\x1b[31m$x_1$"))
    found = adapter_of(made).by_hand("cat mat", "</pre>")
    assert tuple(HOSTILE) in {step.rows[: len(HOSTILE)] for step in found.steps}
    words = HOSTILE + ATTACKS
    sections = [
        replace(found.sections[0], token=word, steps=tuple(replace(s, label=word) for s in found.sections[0].steps[:2]))
        for word in words
    ]
    return replace(found, text=" ".join(HOSTILE), label="\u202e[/]", sections=(*found.sections, *sections))


def test_hostile_words_are_inert_in_a_text() -> None:
    for ascii in (False, True):
        text = as_text(hostile_result(), 80, ascii=ascii)
        assert not dangers(text)
        assert text.isascii() or not ascii
        for shown in (r"\x1b[31m", "[/]", "$x_1$", "</pre>", r"\u202egnp", "```"):
            assert shown in text
    # Rows that are named like that are still rows.
    made = model(words=tuple(HOSTILE))
    lines = printed(as_text(adapter_of(made).by_hand("cat mat", "1"), WIDE))
    assert first_that_does_not_follow(lines) is None


def test_hostile_words_are_inert_in_markdown() -> None:
    page = as_markdown(hostile_result())
    assert not dangers(page)
    blocks = re.compile(r"^(`{3,})text\n(.*?)\n\1$", re.MULTILINE | re.DOTALL)
    for found in blocks.finditer(page):
        assert found[1] not in found[2]  # nothing within ends the block
    outside = blocks.sub("", page)
    assert "`" not in outside.replace(r"\`", "")
    for line in outside.splitlines():
        if line.startswith("#"):
            assert not re.search(r"(?<!\\)[<>$*\[\]`&]", line.replace(r"\\", "")), line


def braces(text: str) -> list[int]:
    """How deep in braces each end of a line is."""
    depth, depths = 0, []
    for found in re.finditer(r"\\.|[{}\n]", re.sub(r"^%.*", "", text)):
        depth += {"{": 1, "}": -1}.get(found[0], 0)
        assert depth >= 0
        if found[0] == "\n":
            depths.append(depth)
    return depths


@pytest.mark.parametrize("name", [*ALL, "hostile"])
def test_latex_is_balanced(name: str) -> None:
    page = as_latex(hostile_result() if name == "hostile" else worked(name)[0])
    assert set(braces(page)) == {0}
    open_ones: list[str] = []
    for begin, kind in re.findall(r"(?<!\\)\\(begin|end){(\w+\*?)}", page):
        if begin == "begin":
            open_ones.append(kind)
        else:
            assert open_ones.pop() == kind
    assert not open_ones
    assert page.count(r"\begingroup") == page.count(r"\endgroup") == 1
    bare = re.sub(r"\\[#$%&_{}]", "", page)
    assert bare.count("$") % 2 == 0
    assert bare.count("%") == 1  # the comment at the top
    assert "#" not in bare
    if name != "hostile":
        assert page.isascii()
        # No sign of a formula has been left over.
        assert not re.search("[·⊙∂ŷσηᵀ²−←]", page)


def test_words_are_escaped_for_latex() -> None:
    for word in HOSTILE + ATTACKS:
        shown = Latex("%s") % word
        assert not dangers(shown)
        left = re.sub(r"\\[#$%&_{}]|\\text\w+\{\}", "", shown)
        assert not re.search(r"[#$%&_{}~^\\]", left), shown


@pytest.mark.parametrize(
    ("ours", "theirs", "plain"),
    [
        ("∂L/∂W_io(2)", r"\frac{\partial L}{\partial W_{io}^{(2)}}", "dL/dW_io(2)"),
        ("ao_2", "a_{o,2}", "ao_2"),
        ("∂L/∂ao_2", r"\frac{\partial L}{\partial a_{o,2}}", "dL/dao_2"),
        ("1 − gᴵ_3²", r"1 - {{}g_{3}^{I}}^{2}", "1 - g.I_3.^2"),
        (
            "∂L/∂hᵉᴵᴵᶠ_2[1:2]",
            r"\frac{\partial L}{\partial {{}\bar{\overrightarrow{h}}_{2}^{II}}}[1:2]",
            "dL/dh.e.II.f_2[1:2]",
        ),
        ("hᵇ_(t+1)", r"\overleftarrow{h}_{t+1}", "h.b_(t+1)"),
        ("argmax(h_1, h_2)", r"\operatorname{argmax}(h_{1}, h_{2})", "argmax(h_1, h_2)"),
        ("α_t = exp(ε_t)", r"\alpha_{t} = \exp(\varepsilon_{t})", "alpha_t = exp(eps_t)"),
        ("1 − tanh(c_2)²", r"1 - \tanh(c_{2})^{2}", "1 - tanh(c_2).^2"),
        ("c_t = f_t ⊙ c_(t−1)", r"c_{t} = f_{t} \odot c_{t-1}", "c_t = f_t .* c_(t-1)"),
        ("−y·log(ŷ)ᵀ", r"-y\cdot \log(\hat{y})^{\top}", "-y*log(yhat)^T"),
        ("diag(ŷ) − ŷᵀ·ŷ", r"\operatorname{diag}(\hat{y}) - \hat{y}^{\top}\cdot \hat{y}", "diag(yhat) - yhat^T*yhat"),
    ],
)
def test_formulas(ours: str, theirs: str, plain: str) -> None:
    assert latex_formula(ours) == theirs
    assert in_ascii(ours) == plain


def test_a_wide_result_in_latex_is_parted_at_its_operators() -> None:
    big = np.full((1, 8), -0.123456)
    step = Step("", "s", "s = u + v + w", {"u": big, "v": big, "w": big}, big)
    made = adapter_of(notes()).by_hand("cat", "1")
    page = as_latex(replace(made, sections=(Section("", "", "", (step,)),)))
    assert page.count(r"\\" + "\n" + r"&\quad + \begin{pmatrix}") == 2
