"""Asset events of tables that a topic was applied to."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from airflow.sdk import Asset, AssetAlias

from airflow_legacy_events.core.model import Delivered
from airflow_legacy_events.core.report import Report
from airflow_legacy_events.streams.asset_lock import lock_asset
from airflow_legacy_events.streams.naming import holds_template


def table_alias(conn_id: str, table: str) -> AssetAlias:
    """The alias under which other DAGs wait for changes of a table that is applied to."""
    return AssetAlias(f"legacy-events:{conn_id}.{table}")


def outlets(conn_id: Any, table: Any) -> list[Any]:
    """Return the outlets of a task; none if only a run knows the names."""
    return [] if holds_template(conn_id) or holds_template(table) else [table_alias(conn_id, table)]


def add_events(context: Any, report: Report, *, before: Delivered, conn_id: str, table: str) -> None:
    """Emit an asset event for each table of which a live run changed rows.

    Args:
        context: of the task.
        report: of the try that succeeded.
        before: what the earlier tries applied without emitting an event.
        conn_id: of the target.
        table: as the operator names it.
    """
    if report.mode != "live":
        return
    changed = {name: sum(done.values()) for name, done in (report.tables or {}).items() if any(done.values())}
    if not changed and before.events and "{" not in table:
        changed = {table: before.events}
    for name in sorted(changed):
        asset = Asset(asset_uri(conn_id, name))
        lock_asset(asset.uri)
        context["outlet_events"][table_alias(conn_id, table)].add(
            asset,
            extra={
                "stream": report.stream,
                "rows": changed[name],
                "watermark_to": report.watermark_to,
                "mode": report.mode,
            },
        )


def asset_uri(conn_id: str, table: str) -> str:
    """Return the URI of a table as Airflow's providers write it, without user and password.

    https://airflow.apache.org/docs/apache-airflow-providers-postgres/stable/assets/postgres.html
    """
    from airflow_legacy_events.hooks.connections import find_connection  # noqa: PLC0415  only behind a run
    from airflow_legacy_events.hooks.target import find_target  # noqa: PLC0415  SQLAlchemy

    name, url = find_target(conn_id, find_connection(conn_id))
    parts = [part.strip('`"') for part in table.split(".")]
    if name == "sqlite":
        return f"sqlite://{quote(url.database or '')}/{quote(table)}"
    if name == "postgres":
        path, port = [url.database or "", *(["public"] if len(parts) == 1 else []), *parts], url.port or 5432
        return _uri("postgres", url.host, port, path)
    path = parts if len(parts) > 1 else [url.database or "", *parts]
    return _uri("mysql" if name == "mysql" else url.get_backend_name(), url.host, url.port or _PORTS.get(name), path)


_PORTS = {"mysql": 3306}


def _uri(scheme: str, host: str | None, port: int | None, path: list[str]) -> str:
    place = (host or "localhost") + ("" if port is None else f":{port}")
    return f"{scheme}://{place}/{'/'.join(quote(part, safe='') for part in path)}"
