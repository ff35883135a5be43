"""`airflow legacy-events slots list|drop`."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import Any

from airflow_legacy_events.cli._command import command, say, say_json, show, signature
from airflow_legacy_events.core.printable import printable_lines
from airflow_legacy_events.streams.dags import dag_exists_on_a_server
from airflow_legacy_events.streams.directory.connector_slots import ConnectorSlot, connector_slots
from airflow_legacy_events.streams.directory.slots import Bounds, SlotReport, drop_slot, list_slots
from airflow_legacy_events.streams.sizes import bytes_of, shown


@command
def slots_list(args: Namespace) -> None:
    """Print the replication slots of a database that this package made; exit code 1 if something is wrong with one."""
    max_wal = None if args.max_wal is None else bytes_of("--max-wal", args.max_wal)
    found = list_slots(args.conn_id, Bounds(max_wal), dag_exists_on_a_server)
    others = [] if args.connect_conn_id is None else connector_slots(args.conn_id, args.connect_conn_id)
    lines = [*(one.line() for one in found), *(one.line() for one in others)]
    if args.output == "json":
        say_json(json.dumps(lines, ensure_ascii=False))
    elif args.output == "yaml":
        show(lines, args.output)
    elif found or others:
        show([*(_row(one) for one in found), *(_connector_row(one) for one in others)], args.output)
    else:
        say(f"connection {args.conn_id!r}: its database has no replication slot of this package")
    of_others = [sentence for one in others for sentence in one.findings(max_wal)]
    if findings := [*(sentence for one in found for sentence in one.findings), *of_others]:
        raise SystemExit(printable_lines("\n".join(findings)))


def _row(found: SlotReport) -> dict[str, Any]:
    line = found.line()
    held = line["held_bytes"]
    return {
        **{name: line[name] for name in ("slot", "holder", "wal_status")},
        "held": None if held is None else shown(held),
        **{name: line[name] for name in ("idle_since", "stream", "dag", "orphan")},
    }


def _connector_row(found: ConnectorSlot) -> dict[str, Any]:
    held = None if found.slot.held_bytes is None else shown(found.slot.held_bytes)
    holder = f"connector {found.connector}"
    status = found.slot.lost or ("active" if found.slot.active else "idle")
    nothing = dict.fromkeys(("idle_since", "stream", "dag", "orphan"))
    return {"slot": found.slot.name, "holder": holder, "wal_status": status, "held": held, **nothing}


@command
def slots_drop(args: Namespace) -> None:
    """Drop a replication slot with its publication, and forget its stream."""
    dropped = drop_slot(args.conn_id, args.slot, signature())
    say(f"dropped: {', '.join(dropped)}")
