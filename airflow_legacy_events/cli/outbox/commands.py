"""`airflow legacy-events outbox ddl|trigger`: both only print."""

from __future__ import annotations

import csv
from argparse import Namespace

from airflow_legacy_events.cli._command import command, say
from airflow_legacy_events.cli.outbox.capturing import dialect_of, look
from airflow_legacy_events.cli.outbox.checking import findings
from airflow_legacy_events.cli.outbox.ddl import debezium
from airflow_legacy_events.cli.outbox.model import Request
from airflow_legacy_events.cli.outbox.printing import script
from airflow_legacy_events.core.errors import ConfigurationError


@command
def outbox_ddl(args: Namespace) -> None:
    """Print the statements that create an outbox."""
    if args.mark and args.keep:
        raise ConfigurationError("--mark and --keep were both given: published rows are marked, or stay as they are")
    say(debezium(args.dialect, args.table, mark=args.mark, keep=args.keep).rstrip())


@command
def outbox_trigger(args: Namespace) -> None:
    """Print the triggers of a table, or the problems with existing ones."""
    request = Request(
        table=args.table,
        columns=_listed(args.columns, "--columns"),
        key=None if args.key is None else _listed(args.key, "--key"),
        outbox=args.outbox,
        aggregate_type=args.aggregate_type,
        always=args.always,
        notify=args.notify,
    )
    with dialect_of(args.source_conn_id) as dialect:
        looked = look(request, dialect)
        if not args.check:
            say(script(request, looked, dialect).rstrip())
            return
        found = findings(looked, dialect)
    for one in found:
        say(one)
    if found:
        raise ConfigurationError(
            f"{len(found)} problems with the triggers of table {args.table!r}; run without --check to print their SQL"
            " again"
        )
    say(f"the triggers of table {args.table!r} are up to date")


def _listed(text: str, option: str) -> tuple[str, ...]:
    """Return the names of a comma-separated list; double quotes protect a comma, and two of them mean one."""
    [names] = csv.reader([text], skipinitialspace=True, strict=False) if text.strip() else [[]]
    found = tuple(name.strip() for name in names)
    if not found or "" in found:
        raise ConfigurationError(f"{option} {text!r} names no column, or an empty one: give names separated by commas")
    return found
