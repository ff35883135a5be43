"""Run the demo: load the shop, let the old application work, deliver what changed."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

from airflow_legacy_events.cli.demo import broker, home, shop

STREAM = f"legacy_shop.orders@{broker.TOPIC}"


def main() -> None:
    """Show two runs of one DAG."""
    started = time.monotonic()
    home.folder().mkdir(parents=True, exist_ok=True)
    path = home.folder() / "shop.db"
    with broker.running() as bootstrap:
        os.environ.update(home.settings(bootstrap))
        say(f"A legacy shop on SQLite ({path}), Kafka embedded at {bootstrap}, a DAG of ten lines.")
        shop.build(path)
        with quiet():
            home.prepare()
        offsets: dict[int, int] = {}
        say(f"\n1. The first run of the DAG delivers all {shop.ORDERS:,} orders:")
        report = run_dag()
        events = list(broker.read(bootstrap, offsets))
        say(f"   {len(events):,} events on topic {broker.TOPIC}, one of them:\n")
        show(events[0])
        say(f"\n2. The old application goes on working: {'; '.join(shop.work(path))}.")
        say("   The second run of the same DAG delivers just that:\n")
        report = run_dag()
        for event in broker.read(bootstrap, offsets):
            show(event)
    say(f"\n   The watermark: {report['watermark_from']} -> {report['watermark_to']}")
    say("   The report of the task:\n")
    say("   " + json.dumps(report, indent=2, ensure_ascii=False).replace("\n", "\n   "))
    say(f"\nDone in {time.monotonic() - started:.0f} s. To try next, in this shell:\n")
    say(f"   export AIRFLOW_HOME={home.folder()} AIRFLOW__CORE__LOAD_EXAMPLES=False")
    say(f"   {command('airflow')} legacy-events watermark show {STREAM}")
    say(f"   {command('airflow')} legacy-events watermark set --help")
    say(f"   {command('airflow')} providers get airflow-legacy-events")


def run_dag() -> dict[str, Any]:
    """Run the DAG as Airflow runs it and return the task's report; its log goes to a file."""
    with quiet():
        from airflow.dag_processing.dagbag import DagBag  # noqa: PLC0415  only after the settings are made

        run = DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"]).dags["legacy_shop"].test()
        report = run.get_task_instance("publish_orders").xcom_pull(task_ids="publish_orders")
    if run.state != "success":
        raise SystemExit(f"the run ended as {run.state}; its log is {home.folder() / 'demo.log'}")
    return dict(report)


def show(event: Any) -> None:
    """Print one message as it is on the topic, indented for reading."""
    value = json.dumps(json.loads(event.value()), indent=2, ensure_ascii=False).replace("\n", "\n   ")
    say(f"   key {event.key().decode()}  partition {event.partition()}\n   {value}")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Send what Airflow prints to demo.log."""
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
    """A command of this environment, with its path where the shell would not find it."""
    return os.path.join(os.path.dirname(sys.executable), name)  # noqa: PTH118, PTH120


def say(text: str) -> None:
    """Print to the person who watches."""
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
