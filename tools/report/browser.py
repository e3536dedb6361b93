"""The system's Chromium, headless, driven over its debugging pipe; it downloads nothing and calls nobody."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
MISSING = "no Chromium on the PATH (on Debian and Ubuntu: apt install chromium)"


class NoBrowserError(Exception):
    """There is no Chromium here; the message says how to get one."""


@contextmanager
def browser() -> Iterator[Browser]:
    """A running browser.

    Raises:
        NoBrowserError: none is installed.
    """
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise NoBrowserError(MISSING)
    with sync_playwright() as playwright:
        # Without its sandbox, which root in a container has no right to; it shows our own page only.
        running = playwright.chromium.launch(executable_path=found, headless=True, args=["--no-sandbox", *QUIET])
        try:
            yield running
        finally:
            running.close()
