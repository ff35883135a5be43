"""Airflow's user interface as a person uses it."""

from __future__ import annotations

import re
from typing import Any

from tests.services.airflow import PASSWORD, USER


def log_in(page: Any, url: str) -> None:
    """Log in as the administrator."""
    page.goto(f"{url}/")
    page.fill('input[name="username"]', USER)
    page.fill('input[name="password"]', PASSWORD)
    page.click('button[type="submit"]')
    page.get_by_role("link", name="Dags").first.wait_for()


class BackfillForm:
    """The dialog behind a DAG's trigger button, turned to Backfill.

    Args:
        page: of a browser that is logged in.
        url: of the api-server.
        dag_id: whose runs are asked for.
    """

    def __init__(self, page: Any, url: str, dag_id: str) -> None:
        self._page = page
        page.goto(f"{url}/dags/{dag_id}", wait_until="domcontentloaded")
        page.get_by_test_id("trigger-dag-button").click()
        self._dialog = page.get_by_role("dialog")
        self._dialog.get_by_text("Backfill", exact=True).click()

    def fill(self, start: str, end: str, which: str, runs: int) -> None:
        """Choose dates `YYYY/MM/DD`, one of the form's three words for `which`, and wait until it announces `runs`."""
        self._dialog.get_by_text("Date Range").wait_for()
        plain = self._dialog.locator('input[type="datetime-local"]')  # Airflow 3.2
        for at, day in enumerate((start, end)):
            if plain.count():
                plain.nth(at).fill(f"{day.replace('/', '-')}T00:00")
            else:
                self._pick(day)
        self._dialog.get_by_text(which, exact=True).click()
        noun = "run" if runs == 1 else "runs"
        self._dialog.get_by_text(re.compile(rf"^{runs} {noun} will be triggered")).wait_for()

    def _pick(self, day: str) -> None:
        self._dialog.get_by_text("Select date and time").first.click()
        date = self._page.get_by_placeholder("YYYY/MM/DD").last
        time = self._page.get_by_placeholder("HH:mm").last
        date.fill(day)
        date.press("Enter")
        time.fill("00:00")
        time.press("Enter")
        self._dialog.get_by_text("Date Range").click()
        self._page.get_by_placeholder("YYYY/MM/DD").first.wait_for(state="hidden")

    def at_once(self, runs: int) -> None:
        """Let so many runs go on at the same time."""
        self._dialog.locator('input[name="max_active_runs"]').fill(str(runs))

    def submit(self) -> dict[str, Any]:
        """Press the button; return the backfill that the server made."""

        def made(answer: Any) -> bool:
            return str(answer.url).endswith("/api/v2/backfills") and answer.request.method == "POST"

        with self._page.expect_response(made) as answer:
            self._dialog.get_by_role("button", name="Run Backfill").click()
        found: dict[str, Any] = answer.value.json()
        return found
