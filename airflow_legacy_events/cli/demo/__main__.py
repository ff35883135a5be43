"""Run the demo: load the shop, simulate the old application, deliver what changed. `--ui` opens it in Airflow."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from airflow_legacy_events.cli.demo import broker, browser, home, shop
from airflow_legacy_events.cli.demo.screen import BOLD, CYAN, GREEN, head, paint, say, table

STREAM = f"legacy_shop.orders@{broker.TOPIC}"


def main(arguments: Sequence[str] = ()) -> None:
    """Show two runs of one DAG, or with `--ui` the same DAG in Airflow's user interface."""
    if "--ui" in arguments:
        browser.serve()
        return
    started = time.monotonic()
    home.folder().mkdir(parents=True, exist_ok=True)
    path = home.folder() / "shop.db"
    with broker.running() as bootstrap:
        os.environ.update(home.settings(bootstrap))
        say(f"A legacy shop in SQLite, an embedded Kafka broker, and one DAG of ten lines:\n   {home.DAG}")
        shop.build(path)
        with quiet():
            home.prepare()
        show_runs(bootstrap, lambda: shop.work(path))
    say(f"\n{paint(f'Done in {time.monotonic() - started:.0f} s.', BOLD)} To try next, in this shell:\n")
    airflow = command("airflow")
    say(f"   {sys.executable} -m airflow_legacy_events.cli.demo --ui    # this DAG in Airflow's user interface")
    say(f"   AIRFLOW_HOME={home.folder()} {airflow} legacy-events watermark show {STREAM}")
    say(f"   {airflow} legacy-events watermark --help")


FINAL_SECONDS = 2.1
"""After which rows of this moment are read: the clock's margin, and the rest of a second that has begun."""


def show_runs(bootstrap: str, work: Callable[[], Mapping[str, tuple[str, str]]]) -> None:
    """Run the DAG, simulate the old application, run the DAG again, and show what each run sent."""
    offsets: dict[int, int] = {}
    head("1  First run: the whole table")
    summary(run_dag())
    first = [json.loads(event.value()) for event in broker.read(bootstrap, offsets)]
    say(f"   one of the {len(first)} events on topic {broker.TOPIC}:")
    say(f"   {paint(json.dumps(first[0], ensure_ascii=False), CYAN)}")
    head("2  The old application keeps working")
    changed = work()
    say(f"   {'; '.join(f'order {key} is {after}' for key, (_, after) in changed.items())}")
    say(f"   A run leaves rows of the last second to the next one, so the second run begins in {FINAL_SECONDS:g} s.")
    time.sleep(FINAL_SECONDS)
    head("3  Second run: only what changed")
    report = run_dag()
    sent = {event["subject"]: event for event in (json.loads(one.value()) for one in broker.read(bootstrap, offsets))}
    rows = [
        (key, before or "-", after, sent[key]["data"]["status"], sent[key]["id"])
        for key, (before, after) in changed.items()
    ]
    table(("order", "status before", "status now", "status in the event", "event id"), rows)
    summary(report)


def summary(report: Mapping[str, Any]) -> None:
    """Print what a run did on one line."""
    at = ", ".join(report["watermark_to"])
    numbers = f"{report['rows']} rows, {report['events']} events acknowledged in {report['seconds']:.1f} s"
    say(f"   {paint(numbers, BOLD, GREEN)}; the watermark stands at {at}")


def run_dag() -> dict[str, Any]:
    """Run the DAG as Airflow runs it and return the task's report; its log goes to a file."""
    with quiet():
        from airflow.dag_processing.dagbag import DagBag  # noqa: PLC0415  only after the settings are made

        run = DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"]).dags["legacy_shop"].test()
        report = run.get_task_instance("publish_orders").xcom_pull(task_ids="publish_orders")
    if run.state != "success":
        raise SystemExit(f"the run ended as {run.state}; its log is {home.folder() / 'demo.log'}")
    return dict(report)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Redirect Airflow's output to demo.log."""
    sys.stdout.flush()
    kept = os.dup(1), os.dup(2)
    with (home.folder() / "demo.log").open("a") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        try:
            yield
        finally:
            sys.stdout.flush()
            for number, copy in enumerate(kept, start=1):
                os.dup2(copy, number)
                os.close(copy)


def command(name: str) -> str:
    """Return a command of this environment, with its path if the shell would not find it."""
    return os.path.join(os.path.dirname(sys.executable), name)  # noqa: PTH118, PTH120


if __name__ == "__main__":
    main(sys.argv[1:])
