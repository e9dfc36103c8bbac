"""A browser driven over HTTP by the WebDriver protocol, with the standard library alone."""

from __future__ import annotations

import base64
import contextlib
import json
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DRIVER, BROWSERS = "chromedriver", ("chromium", "chromium-browser", "google-chrome")
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # what the protocol calls a reference to an element by
QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--no-first-run", "--hide-scrollbars", "--force-prefers-reduced-motion"),
)
KEYS = {"right": "\ue014", "left": "\ue012", "down": "\ue015", "up": "\ue013", "home": "\ue011", "tab": "\ue004"}


def missing() -> str | None:
    """What is not installed, in a sentence; None if nothing is missing."""
    if shutil.which(DRIVER) is None:
        return f"there is no {DRIVER}; on Debian: apt-get install chromium chromium-driver"
    if not any(map(shutil.which, BROWSERS)):
        return f"there is none of {', '.join(BROWSERS)}; on Debian: apt-get install chromium chromium-driver"
    return None


class Browser:
    """One session."""

    def __init__(self, address: str, options: dict[str, Any]) -> None:
        self._address = address
        wanted = {"capabilities": {"alwaysMatch": options}}
        self._session = f"/session/{self._ask('POST', '/session', wanted)['sessionId']}"

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self._address + path, data, {"Content-Type": "application/json"}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(json.load(error)["value"]["message"]) from None

    def do(self, path: str, body: Any = None) -> Any:
        return self._ask("POST", self._session + path, {} if body is None else body)

    def open(self, page: Path) -> None:
        self.do("/url", {"url": page.resolve().as_uri()})

    def resize(self, width: int, height: int) -> None:
        """The viewport; a window would not become as narrow as a telephone."""
        sizes = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.command("Emulation.setDeviceMetricsOverride", sizes)

    def colours(self, scheme: str, medium: str = "screen") -> None:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.command("Emulation.setEmulatedMedia", {"media": medium, "features": features})

    def command(self, name: str, values: dict[str, Any]) -> Any:
        """One of the browser's own developer tools."""
        return self.do("/goog/cdp/execute", {"cmd": name, "params": values})

    def run(self, script: str, *arguments: Any) -> Any:
        """What a function body returns that is run beside the page's own script, past its content policy."""
        return self.do("/execute/sync", {"script": script, "args": list(arguments)})

    def find(self, selector: str) -> str:
        return str(self.do("/element", {"using": "css selector", "value": selector})[ELEMENT])

    def click(self, selector: str) -> None:
        self.do(f"/element/{self.find(selector)}/click")

    def press(self, selector: str, *keys: str) -> None:
        """Keys by name, at an element that takes the focus."""
        self.do(f"/element/{self.find(selector)}/value", {"text": "".join(KEYS[key] for key in keys)})

    def press_where_the_focus_is(self, *keys: str) -> None:
        steps = [{"type": kind, "value": KEYS[key]} for key in keys for kind in ("keyDown", "keyUp")]
        self.do("/actions", {"actions": [{"type": "key", "id": "keys", "actions": steps}]})

    def point(self, x: float, y: float) -> None:
        """The mouse, in pixels of the viewport."""
        move = {"type": "pointerMove", "x": round(x), "y": round(y), "duration": 0}
        self.do("/actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": [move]}]})

    def text(self, selector: str) -> str:
        return str(self.run("return document.querySelector(arguments[0]).textContent", selector))

    def log(self) -> list[str]:
        """Errors and warnings of the page since the last call."""
        return [f"{entry['level']} {entry['message']}" for entry in self.do("/se/log", {"type": "browser"})]

    def requests(self) -> list[str]:
        """Whatever a page from a file asked for since the last call, the file itself left out."""
        found = []
        for entry in self.do("/se/log", {"type": "performance"}):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                page, asked = message["params"]["documentURL"], message["params"]["request"]["url"]
                found += [asked] if page.startswith("file:") and asked != page else []
        return found

    def picture(self, file: Path, whole: bool = True) -> None:
        """The page from top to bottom, or what is seen of it."""
        options: dict[str, Any] = {"format": "png", "captureBeyondViewport": whole}
        if whole:
            size = self.command("Page.getLayoutMetrics", {})["cssContentSize"]
            options["clip"] = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        file.write_bytes(base64.b64decode(self.command("Page.captureScreenshot", options)["data"]))

    def close(self) -> None:
        self._ask("DELETE", self._session)


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """A browser with a profile of its own, which ends with the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = next(found for found in map(shutil.which, BROWSERS) if found)
    with tempfile.TemporaryDirectory() as profile:
        options = {
            "browserName": "chrome",
            "goog:chromeOptions": {"binary": program, "args": [*QUIET, f"--user-data-dir={profile}"]},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }
        command = [str(shutil.which(DRIVER)), f"--port={port}"]
        driver = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _wait(port)
            driven = Browser(f"http://127.0.0.1:{port}", options)
            try:
                yield driven
            finally:
                driven.close()
        finally:
            driver.terminate()
            driver.wait(30)


def _wait(port: int) -> None:
    """Until the driver answers."""
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError("the driver does not start")
