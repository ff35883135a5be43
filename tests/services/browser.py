"""Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.services.base import MissingServiceError, apt_install


def executable() -> str:
    """The path of a Chromium; installed if that is possible.

    Raises:
        MissingServiceError: there is none, and apt can't install one.
    """
    names = ("chromium", "chromium-browser", "google-chrome")
    if not (found := next(filter(None, map(shutil.which, names)), None)):
        apt_install("chromium")
        found = shutil.which("chromium")
    if not found:
        raise MissingServiceError("a browser is needed: apt-get install chromium")
    return found


@contextmanager
def page(width: int = 1200, height: int = 760) -> Iterator[Any]:
    """A page of a new browser; times are shown in UTC."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=["--no-sandbox"])
        try:
            context = browser.new_context(
                viewport={"width": width, "height": height}, timezone_id="UTC", color_scheme="light"
            )
            context.set_default_timeout(90_000)
            yield context.new_page()
        finally:
            browser.close()
