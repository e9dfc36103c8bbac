"""Pages of ``inspect --html`` in a real browser: what the script does, that nothing is asked for, that nothing fails.

Not a part of the suite, which needs only Python. With Debian's chromium and chromium-driver installed:

    .venv/bin/python tests/browser/page.py                      pages of small untrained models of every task
    .venv/bin/python tests/browser/page.py a.html b.html        these pages
    .venv/bin/python tests/browser/page.py --pictures FOLDER    the same, and what they look like
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]

from webdriver import Browser, browser, missing  # noqa: E402

OVERFLOWS = """
const width = document.documentElement.clientWidth;
return Array.from(document.querySelectorAll("body *")).filter((e) => {
  const box = e.getBoundingClientRect();
  return box.width > 0 && box.right > width + 1 && !e.closest(".scroll, caption, svg");
}).map((e) => e.tagName + "." + e.className + " " + e.textContent.slice(0, 40));
"""
SQUARE = """
const map = document.querySelectorAll("svg.map")[arguments[0]];
const d = map.dataset;
window.scrollBy(0, map.getBoundingClientRect().top + Number(d.top) - 400);  // the slider covers what is above
const box = map.getBoundingClientRect();
return [box.left + Number(d.left) + 0.5 * d.width, box.top + Number(d.top) + 0.5 * d.height];
"""


def check(driven: Browser, page: Path) -> None:
    """Raises AssertionError: the page does not do what it should."""
    source = page.read_text(encoding="utf-8")
    data = json.loads(re.search(r'id="data">(.*?)</script>', source, re.DOTALL)[1])  # type: ignore[index]
    driven.resize(1280, 900)
    driven.colours("light")
    driven.requests(), driven.log()  # of the page that stood there before
    driven.open(page)
    check_slider(driven, data["steps"], data["total"])
    check_words(driven, data["effects"])
    if data["maps"]:
        check_maps(driven, data)
    check_colours(driven)
    check_focus(driven)
    for width in (1280, 400):
        driven.resize(width, 900)
        assert driven.run("return document.documentElement.scrollWidth") <= width, f"wider than {width} pixels"
        assert (found := driven.run(OVERFLOWS)) == [], f"at {width} pixels: {found}"
    assert driven.run("return performance.getEntriesByType('resource').map((one) => one.name)") == []
    assert (asked := driven.requests()) == [], asked
    assert (said := driven.log()) == [], said


def check_slider(driven: Browser, steps: list[Any], total: int) -> None:
    """By its value and by the keys; the answers, the numbers, the table and every map go along."""
    slider = "#step"
    assert driven.run("return [step.min, step.max, step.value, step.labels[0].textContent]") == [
        *("1", str(len(steps)), str(len(steps)), "Timestep")
    ]
    move = "step.value = arguments[0]; step.dispatchEvent(new Event('input'))"
    for place in sorted({0, len(steps) // 2, len(steps) - 1}):
        driven.run(move, place + 1)
        step = steps[place]
        assert driven.text("#step-says").startswith(f"{step['place']} of {total}: {step['token']}")
        assert driven.run("return step.getAttribute('aria-valuetext')").endswith(step["token"])
        shown = driven.run(
            "return Array.from(answers.children, (one) => [one.querySelector('bdi').textContent,"
            " one.querySelector('.n').textContent, one.querySelector('.fill').style.width])"
        )
        assert [label for label, _, _ in shown] == [label for label, _ in step["answers"]]
        for (_, p), (_, written, width) in zip(step["answers"], shown, strict=True):
            assert abs(float(written.rstrip("%")) - 100 * p) <= 0.0501
            assert abs(float(width.rstrip("%")) - 100 * p) <= 0.01
        numbers = driven.run("return Array.from(numbers.querySelectorAll('dd'), (one) => one.textContent)")
        assert len(numbers) == len(step["numbers"])
        for written, (_, value) in zip(numbers, step["numbers"], strict=True):
            assert abs(float(written.replace("−", "-")) - value) <= 0.0001
        current = (
            "return Array.from(document.querySelectorAll('#steps tbody tr'), (r) => r.hasAttribute('aria-current'))"
        )
        assert [k for k, on in enumerate(driven.run(current)) if on] == [place]
    if len(steps) > 1:
        driven.press(slider, "home")
        driven.press(slider, "right")
        assert driven.run("return step.value") == "2"
        assert driven.text("#step-says").startswith(f"{steps[1]['place']} of")
        driven.press(slider, "left")
        assert driven.text("#step-says").startswith(f"{steps[0]['place']} of")


def check_words(driven: Browser, effects: list[Any]) -> None:
    """Every way a word was asked about, on focus and by the keys; one stop for the Tab key."""
    assert driven.run("return document.querySelectorAll('.word[tabindex=\"0\"]').length") == 1
    for place in range(min(2, len(effects))):
        driven.run("document.querySelectorAll('.word')[arguments[0]].focus()", place)
        said = driven.text("#word-says")
        assert said.startswith(effects[place]["name"] + ": ")
        for way in ("deleted", "replaced", "integrated", "shapley"):
            assert (way in said.lower().rsplit(": ", 1)[1]) == (effects[place][way] is not None)
    if len(effects) > 1:
        driven.press_where_the_focus_is("left")
        assert driven.text("#word-says").startswith(effects[0]["name"] + ": ")


def check_maps(driven: Browser, data: Any) -> None:
    """The value under the mouse, the value where the arrow keys lead, and the column of the timestep."""
    for place in (0, driven.run("return document.querySelectorAll('svg.map').length") - 1):
        if not driven.run("return document.querySelectorAll('svg.map')[arguments[0]].checkVisibility()", place):
            continue
        number, rows = driven.run(
            "const d = document.querySelectorAll('svg.map')[arguments[0]].dataset; return [d.map, d.rows]", place
        )
        of, first = data["maps"][int(number)], int(rows.split()[0])
        says = "return document.querySelectorAll('svg.map')[arguments[0]].closest('figure').querySelector('.says')"
        driven.point(*driven.run(SQUARE, place))
        assert _value(driven.run(says + ".textContent", place)) == round(of["values"][first][0], 4)
        driven.run("document.querySelectorAll('svg.map')[arguments[0]].focus()", place)
        if len(of["values"][first]) > 1:
            driven.press_where_the_focus_is("right")
            assert _value(driven.run(says + ".textContent", place)) == round(of["values"][first][1], 4)
    move = "step.value = 1; step.dispatchEvent(new Event('input'))"
    driven.run(move)
    seen = driven.run(
        "return Array.from(document.querySelectorAll('svg .column'), (c) => c.getAttribute('visibility'))"
    )
    maps = driven.run("return Array.from(document.querySelectorAll('svg.map'), (m) => Number(m.dataset.map))")
    for number, visibility in zip(maps, seen, strict=True):
        line = data["timelines"][data["maps"][number]["timeline"]]
        assert visibility == ("visible" if 0 in line["steps"] else "hidden")


def _value(said: str) -> float:
    return float(said.rsplit(": ", 1)[1].replace("−", "-"))


def check_colours(driven: Browser) -> None:
    """The system's choice, then the button's."""
    paper = "return getComputedStyle(document.body).backgroundColor"
    light = driven.run(paper)
    driven.colours("dark")
    dark = driven.run(paper)
    assert light != dark
    driven.run("window.scrollTo(0, 0)")
    driven.click("#theme")
    assert driven.run(paper) == light
    driven.click("#theme")
    assert driven.run(paper) == dark
    driven.colours("dark", "print")
    assert driven.run("return getComputedStyle(document.documentElement).colorScheme") == "light"
    driven.colours("light")
    driven.run("delete document.documentElement.dataset.theme")


def check_focus(driven: Browser) -> None:
    """The Tab key goes through the page, and wherever it stops one can see it."""
    driven.run("window.scrollTo(0, 0); document.activeElement.blur()")
    stops = set()
    for _ in range(14):
        driven.press_where_the_focus_is("tab")
        name, outline = driven.run(
            "const e = document.activeElement, s = getComputedStyle(e);"
            "return [e.tagName + '.' + e.getAttribute('class') + '#' + e.id, s.outlineStyle + ' ' + s.outlineWidth]"
        )
        stops.add(name)
        assert name.startswith("BODY") or outline not in ("none 0px", "auto 0px"), f"{name} does not show the focus"
    assert len(stops) >= 3, stops


def pictures(driven: Browser, page: Path, folder: Path) -> None:
    """Light and dark, wide and narrow, and as it is printed."""
    folder.mkdir(parents=True, exist_ok=True)
    driven.open(page)
    for width in (1280, 400):
        driven.resize(width, 900)
        for scheme in ("light", "dark"):
            driven.colours(scheme)
            driven.picture(folder / f"{page.stem}-{width}-{scheme}.png")
    driven.resize(760, 1000)
    driven.colours("dark", "print")
    driven.picture(folder / f"{page.stem}-print.png")


def small_pages(folder: Path) -> Iterator[Path]:
    """Of an untrained model of every task, and one of hostile labels."""
    from attacks import ATTACKS
    from page_examples import MODELS, WORDS, classifier

    from rnncli.inspection.page.page import page
    from rnncli.render.html_page import html_page

    hostile = tuple(dict.fromkeys(a for a in ATTACKS if a.strip() and not re.search("[\ud800-\udfff]", a)))
    made = {name: page(build(), None, None, name) for name, build in MODELS.items()}
    bad = "the <script>alert(1)</script> \u202efilm </script>"
    made["hostile"] = page(classifier(labels=hostile, words=(*WORDS, "<script>")), bad)
    made["long"] = page(classifier(hidden=30), "the film was good " * 1_250)
    for name, one in made.items():
        file = folder / f"{name.replace(', ', '-').replace(' ', '-')}.html"
        file.write_text(html_page(one), encoding="utf-8")
        yield file


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("pages", nargs="*", type=Path)
    parser.add_argument("--pictures", type=Path, metavar="FOLDER")
    asked = parser.parse_args()
    if reason := missing():
        sys.stderr.write(f"not run: {reason}\n")
        return 2
    failed = 0
    with tempfile.TemporaryDirectory() as folder, browser() as driven:
        for page in asked.pages or small_pages(Path(folder)):
            try:
                check(driven, page)
                sys.stdout.write(f"{page.name}: as it should be, {page.stat().st_size / 1000:,.0f} kB\n")
            except (AssertionError, RuntimeError) as error:
                failed += 1
                place = traceback.extract_tb(error.__traceback__)[-1]
                sys.stderr.write(f"{page.name}: line {place.lineno}: {error or place.line} {driven.log()}\n")
            if asked.pictures:
                pictures(driven, page, asked.pictures)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
