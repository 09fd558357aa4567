"""A real browser for the pages, and everything it might complain of."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Any

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
LISTEN = "addEventListener('securitypolicyviolation', (e) => (window.refused ??= []).push(e.violatedDirective));"


def chromium() -> str | None:
    """The installed Chromium, if any."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


def missing() -> str:
    """Why no page can be opened here; empty when one can."""
    if find_spec("playwright") is None:
        return "playwright is not installed: pip install 'sage-dialogue[dev]'"
    return "" if chromium() else "no Chromium on this machine: apt-get install chromium"


def until(page: Any, expression: str) -> None:
    """Wait until an expression is true of a page, whose policy forbids the usual way: eval."""
    deadline = time.monotonic() + 15
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, f"not true after 15 s: {expression}"
        page.wait_for_timeout(15)


class Pages:
    """Pages of one browser that tests use one after the other: making a new one takes longer than most tests."""

    def __init__(self, browser: Any) -> None:
        self._browser = browser
        self._free: dict[str, list[Any]] = {}

    def take(self, settings: dict[str, Any]) -> Any:
        """A blank page with these settings that nobody uses."""
        free = self._free.setdefault(repr(sorted(settings.items())), [])
        if free:
            return free.pop()
        context = self._browser.new_context(**{"viewport": DESK, **settings})
        context.add_init_script(LISTEN)
        page = context.new_page()
        page.set_default_timeout(15_000)
        return page

    def give_back(self, page: Any, settings: dict[str, Any]) -> None:
        """Make it blank again."""
        page.evaluate("localStorage.clear()")
        page.emulate_media(media="screen")
        page.unroute_all()
        page.goto("about:blank")
        self._free[repr(sorted(settings.items()))].append(page)


class Watched:
    """An open page with what went wrong on it."""

    def __init__(self, pages: Pages, folder: Path, base: str | None = None, **settings: Any) -> None:
        self.base = folder.as_uri() if base is None else base
        self.messages: list[str] = []
        self.dialogs: list[str] = []
        self.requested: list[str] = []
        self._pages, self._settings = pages, settings
        self.page = pages.take(settings)
        self._listeners = {
            "console": lambda message: self.messages.append(message.text),
            "pageerror": lambda error: self.messages.append(str(error)),
            "dialog": self._dismiss,
            "request": lambda request: self.requested.append(request.url),
        }
        for event, listener in self._listeners.items():
            self.page.on(event, listener)

    def _dismiss(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def explorer(self, link: str = "") -> Any:
        """Open the explorer at a link and wait until it shows it."""
        self.page.goto(f"{self.base}/explorer.html{link}")
        self.page.wait_for_selector("html[data-ready]")
        self.page.wait_for_selector("#topics option, .field:has(#topic)[hidden]", state="attached")
        return self.page

    def index(self, link: str = "") -> Any:
        """Open the first page."""
        self.page.goto(f"{self.base}/index.html{link}")
        return self.page

    def data(self, link: str = "") -> Any:
        """Open the data page."""
        self.page.goto(f"{self.base}/data.html{link}")
        return self.page

    def close(self) -> None:
        """Leave it, and say that nothing went wrong."""
        refused = self.page.evaluate("window.refused ?? []")
        for event, listener in self._listeners.items():
            self.page.remove_listener(event, listener)
        self._pages.give_back(self.page, self._settings)
        assert self.messages == []
        assert self.dialogs == []
        assert refused == []
        outside = [url for url in self.requested if not url.startswith(self.base + "/")]
        assert outside == []


def violations(page: Any) -> list[str]:
    """What axe-core complains of, with the elements."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"preload": False}).response["violations"]
    return [f"{one['id']}: {node['html'][:200]} {node['failureSummary']}" for one in found for node in one["nodes"]]


def overflow(page: Any) -> int:
    """Pixels by which the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder on a plain web server of its own; yields its address."""
    handler = partial(_Silent, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """A test's output is not a server's log."""
