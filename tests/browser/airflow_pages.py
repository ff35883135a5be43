"""Airflow's user interface as a person uses it."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

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


class Connections:
    """The page of connections.

    Args:
        page: of a browser that is logged in.
        url: of the api-server.
    """

    def __init__(self, page: Any, url: str) -> None:
        self._page, self._address = page, f"{url}/connections"

    def add(self, conn_id: str, conn_type: str, **fields: str) -> None:
        """Make one by the form: its type by the name that the form has, its fields by their names."""
        self._page.goto(self._address, wait_until="domcontentloaded")
        self._page.get_by_role("button", name="Add Connection").first.click()
        form = self._page.get_by_role("dialog")
        form.locator('input[name="connection_id"]').fill(conn_id)
        form.get_by_role("combobox").first.focus()
        self._page.keyboard.type(conn_type)
        form.get_by_role("option", name=conn_type).first.wait_for()
        self._page.keyboard.press("Enter")
        form.get_by_role("button", name="Standard Fields", exact=True).wait_for()
        for name, value in fields.items():
            field = form.locator(f'input[name="{name}"], input[name="element_{name}"]').first
            section = field.locator("xpath=ancestor::*[@data-part='item-content'][1]").get_attribute("id")
            opener = form.locator(f'button[aria-controls="{section}"]')
            if opener.get_attribute("aria-expanded") != "true":  # what is opened closes the others
                opener.click()
            field.fill(value)
        with self._page.expect_response(lambda answer: answer.request.method == "POST" and answer.ok):
            form.get_by_role("button", name="Save").click()

    def test(self, conn_id: str) -> dict[str, Any]:
        """Press its Test button; return what the server answers, once the page shows it."""
        self._page.goto(self._address, wait_until="domcontentloaded")
        row = self._page.get_by_role("row").filter(has_text=conn_id)
        with self._page.expect_response(lambda answer: answer.url.endswith("/connections/test")) as answer:
            row.get_by_role("button").first.click()
        found: dict[str, Any] = answer.value.json()
        return found


class Shown(NamedTuple):
    """An error in a log: its text, where its longest line ends, and where what is seen ends, in pixels."""

    text: str
    right: float
    edge: float


_SHOWN = """
element => {
    let around = element.parentElement;
    while (around.parentElement && !/auto|scroll|hidden|clip/.test(getComputedStyle(around).overflowX)) {
        around = around.parentElement;
    }
    const range = document.createRange();
    range.selectNodeContents(element);
    const rights = [...range.getClientRects()].map(one => one.right);
    const edge = Math.min(around.getBoundingClientRect().right, window.innerWidth);
    return {text: element.textContent, right: Math.max(...rights), edge};
}
"""


def task_page(page: Any, url: str, dag_id: str, run_id: str, task_id: str) -> Shown:
    """Show the log of a failed task; return its error."""
    page.goto(f"{url}/dags/{dag_id}/runs/{run_id}/tasks/{task_id}", wait_until="domcontentloaded")
    page.get_by_text("Task failed with exception").first.wait_for()
    error = page.get_by_text(re.compile(r"^(Configuration|Source|Delivery)Error: ")).first
    error.scroll_into_view_if_needed()
    return Shown(**error.evaluate(_SHOWN))
