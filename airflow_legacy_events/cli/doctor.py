"""`airflow legacy-events doctor`."""

from __future__ import annotations

import json
import logging
from argparse import Namespace

from airflow_legacy_events.cli._command import command, say, say_json, show
from airflow_legacy_events.cli._rendering import rendered
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.printable import printable_lines
from airflow_legacy_events.streams.examination import Examination, Finding, Runs


@command
def doctor(args: Namespace) -> None:
    """Examine a task as its next run would; exit code 1 if that run would fail."""
    log = logging.getLogger("airflow_legacy_events.doctor")
    log.propagate = False
    found = _examined(args, log)
    lines = [one._asdict() for one in found.findings]
    if args.output == "json":
        say_json(json.dumps(lines, ensure_ascii=False))
    elif args.output == "yaml":
        show(lines, args.output)
    else:
        say(f"task {args.task_id!r} of DAG {args.dag_id!r}, stream {found.stream.name!r}")
        for one in found.findings:
            say(_line(one))
    if found.failed:
        raise SystemExit(printable_lines("the next run of this task would fail"))


def _line(found: Finding) -> str:
    text = "\n".join(f"         {line}" for line in found.text.splitlines())
    return f"{found.result:8} {found.check}" + (f"\n{text}" if text else "")


def _examined(args: Namespace, log: logging.Logger) -> Examination:
    operator, context = rendered(args, args.task_id)
    if not isinstance(operator, Runs):
        raise ConfigurationError(
            f"task {args.task_id!r} of DAG {args.dag_id!r} is a {type(operator).__name__}, which moves no stream; name"
            " a task of IncrementalQueryOperator, OutboxDrainOperator, ChangeLogDrainOperator or TopicToTableOperator"
        )
    run = operator._stream_run(context, log, looks_only=True)  # noqa: SLF001  as the task does
    found = Examination(run, log)
    silenced = logging.root.manager.disable
    logging.disable(logging.NOTSET)  # warnings are findings; only the logger of this command hears them
    try:
        found.examine()
    finally:
        logging.disable(silenced)
    return found
