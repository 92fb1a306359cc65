"""A headless Chromium, driven by the DevTools protocol over pipes."""

import json
import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.patience import stretched

TIMEOUT_SECONDS = 30
COMMANDS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage", "--hide-scrollbars",
    "--lang=en",
)  # fmt: skip
"""Without a sandbox, since it refuses to run as root without it; it sees pages of the tests alone."""

Answer = dict[str, Any]


class BrowserError(Exception):
    """The browser refused a command, or did not answer in time."""


def chromium_command() -> str | None:
    """Return the path of a Chromium on this machine."""
    return next(filter(None, map(shutil.which, COMMANDS)), None)


class Tab:
    """The one page of a browser, with the events that it sent since the last command."""

    def __init__(self, commands: int, answers: int) -> None:
        self.events: list[Answer] = []
        self._commands, self._answers = commands, answers
        self._rest = b""
        self._number = 0
        self._session: str | None = None

    def open_session(self) -> None:
        """Attach to a new page and have it report its errors."""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> Answer:
        """Send a command and return its result. Raises BrowserError."""
        self._number += 1
        command = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            command["sessionId"] = self._session
        os.write(self._commands, json.dumps(command).encode() + b"\0")
        answer = self._await(lambda message: message.get("id") == self._number)
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error']['message']}")
        result: Answer = answer["result"]
        return result

    def go(self, url: str) -> None:
        """Load a page and everything in it."""
        self.events.clear()
        failed = self.send("Page.navigate", url=url).get("errorText")
        if failed:
            raise BrowserError(f"{url}: {failed}")
        self.wait_for("Page.loadEventFired")

    def wait_for(self, *methods: str) -> None:
        """Wait for one of these events, unless there has been one since the last page was asked for."""
        if not any(event["method"] in methods for event in self.events):
            self._await(lambda message: message.get("method") in methods)

    def run(self, script: str) -> Any:
        """Return the value of an expression, awaited if it is a promise. Raises BrowserError if it throws."""
        answer = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise BrowserError(json.dumps(answer["exceptionDetails"])[:2_000])
        return answer["result"].get("value")

    def press(self, selector: str) -> None:
        """Click in the middle of an element, as a person does."""
        box = self.run(
            f"(box => [box.x + box.width / 2, box.y + box.height / 2])"
            f"(document.querySelector({json.dumps(selector)}).getBoundingClientRect())"
        )
        self.events.clear()
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    def emulate(self, *, width: int = 800, **media: str) -> None:
        """Set the window's width in pixels, and media features such as `prefers_color_scheme="dark"`."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=600, deviceScaleFactor=1, mobile=False)
        features = [{"name": name.replace("_", "-"), "value": value} for name, value in media.items()]
        self.send("Emulation.setEmulatedMedia", features=features)

    def errors(self) -> list[str]:
        """Return the errors that the page has reported since it was opened."""
        entries = [event["params"]["entry"] for event in self.events if event["method"] == "Log.entryAdded"]
        return [entry["text"] for entry in entries if entry["level"] == "error"]

    def _await(self, wanted: Callable[[Answer], bool]) -> Answer:
        deadline = time.monotonic() + stretched(TIMEOUT_SECONDS)
        while True:
            for message in self._messages():
                if wanted(message):
                    return message
            if not select.select([self._answers], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise BrowserError("the browser does not answer")
            received = os.read(self._answers, 1 << 20)
            if not received:
                raise BrowserError("the browser has gone")
            self._rest += received

    def _messages(self) -> Iterator[Answer]:
        while b"\0" in self._rest:
            line, _, self._rest = self._rest.partition(b"\0")
            message = json.loads(line)
            if "method" in message:
                self.events.append(message)
            yield message


@contextmanager
def chromium(command: str, folder: Path) -> Iterator[Tab]:
    """Start a browser with its profile in the folder; it is killed at the end."""
    commands_read, commands_write = os.pipe()
    answers_read, answers_write = os.pipe()
    browser = subprocess.Popen(
        # The protocol is spoken on descriptors 3 and 4.
        ["/bin/bash", "-c", f'exec "$@" 3<&{commands_read} 4>&{answers_write}', "chromium", command, *FLAGS,
         f"--user-data-dir={folder}", "about:blank"],
        pass_fds=(commands_read, answers_write),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    os.close(commands_read)
    os.close(answers_write)
    try:
        tab = Tab(commands_write, answers_read)
        tab.open_session()
        yield tab
    finally:
        os.killpg(browser.pid, signal.SIGKILL)
        browser.wait()
        os.close(commands_write)
        os.close(answers_read)
