"""Effects of deleting or updating rows of a MySQL or MariaDB table, from the catalog."""

from __future__ import annotations

from itertools import groupby

import MySQLdb

from airflow_legacy_events.core.ports import TableWrites
from airflow_legacy_events.databases import effects
from airflow_legacy_events.databases.mysql.catalog import find_table
from airflow_legacy_events.databases.mysql.generators import KEPT_SINCE
from airflow_legacy_events.databases.mysql.grants import Grants
from airflow_legacy_events.databases.mysql.replication import written_elsewhere
from airflow_legacy_events.databases.mysql.session import Session
from airflow_legacy_events.databases.reflection import not_a_table

_FOREIGN_KEYS = """
SELECT k.constraint_name, k.table_schema, k.table_name, r.delete_rule, k.column_name
  FROM information_schema.key_column_usage k JOIN information_schema.referential_constraints r
    ON r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name
       AND r.table_name = k.table_name
 WHERE k.referenced_table_schema = %s AND k.referenced_table_name = %s
 ORDER BY k.table_schema, k.table_name, k.constraint_name, k.ordinal_position
"""
_TRIGGERS = """
SELECT trigger_name, action_timing, event_manipulation FROM information_schema.triggers
 WHERE event_object_schema = %s AND event_object_table = %s ORDER BY action_timing DESC, trigger_name
"""
_COLUMNS = """
SELECT column_name, extra FROM information_schema.columns
 WHERE table_schema = %s AND table_name = %s AND (extra LIKE '%%on update%%' OR extra LIKE '%%auto_increment%%')
 ORDER BY ordinal_position
"""
_BYTES = """
SELECT data_length + index_length FROM information_schema.tables WHERE table_schema = %s AND table_name = %s
"""
_CHURN = """
SELECT count_insert, count_delete FROM performance_schema.table_io_waits_summary_by_table
 WHERE object_schema = %s AND object_name = %s AND count_star > 0
"""
_SHOWS_TRIGGERS_SINCE = (10, 11)
_VERSIONED = "SYSTEM VERSIONED"
_TABLES = ("BASE TABLE", _VERSIONED)
_WITH_TRANSACTIONS = frozenset({"InnoDB", "ROCKSDB", "TokuDB", "ndbcluster", "NDBCLUSTER"})


def table_writes(session: Session, table: str) -> TableWrites:
    """Return the effects of deleting or updating rows of a table. Its name is looked up as written, then in lower case.

    Raises:
        ConfigurationError: there is no table of that name, or it is a view.
    """
    schema, name, kind, engine, *_ = find_table(session, table)
    if kind not in _TABLES:
        raise not_a_table(table, "a view" if "VIEW" in kind else f"a {kind.lower()}")
    keys, grants = _foreign_keys(session, schema, name), Grants.read(session)
    triggers = session.rows(_TRIGGERS, schema, name)
    columns = session.rows(_COLUMNS, schema, name)
    elsewhere, unknown = written_elsewhere(session, grants)
    kept = () if engine in _WITH_TRANSACTIONS else (f"engine {engine} has no transactions: nothing is rolled back",)
    if kind == _VERSIONED:
        kept = (*kept, "system versioning keeps every row as it was before, even a deleted one")
    return TableWrites(
        _server_name(session, schema, name),
        elsewhere,
        references=effects.references(keys),
        effects=effects.cascades(keys) + _fired(triggers, "DELETE") + kept,
        update_effects=_fired(triggers, "UPDATE") + kept,
        ids_return=_ids_return(session, engine, [column for column, extra in columns if "auto_inc" in extra]),
        set_on_update=tuple(column for column, extra in columns if "on update" in extra.lower()),
        churn=_churn(session, schema, name),
        bytes=next((int(size) for (size,) in session.rows(_BYTES, schema, name) if size is not None), None),
        unknown=unknown + grants.hidden(schema, name, triggers=not _shows_triggers(session)),
    )


def _foreign_keys(session: Session, schema: str, name: str) -> list[effects.ForeignKey]:
    rows = session.rows(_FOREIGN_KEYS, schema, name)
    found = []
    for (constraint, of_schema, of_name, rule), columns in groupby(rows, key=lambda row: row[:4]):
        of = of_name if of_schema == schema else f"{of_schema}.{of_name}"
        found.append(effects.ForeignKey(of, [row[4] for row in columns], constraint, rule))
    return found


def _fired(triggers: list[tuple[str, ...]], event: str) -> tuple[str, ...]:
    return tuple(f"trigger {name} {timing} {event}, for each row" for name, timing, of in triggers if of == event)


def _shows_triggers(session: Session) -> bool:
    """Return whether the server shows triggers to any user with a right on the table."""
    return session.mariadb and session.version >= _SHOWS_TRIGGERS_SINCE


def _ids_return(session: Session, engine: str | None, counted: list[str]) -> str | None:
    if engine != "InnoDB" or not counted or session.version >= KEPT_SINCE[session.mariadb]:
        return None
    return (
        f"a restart of this release sets AUTO_INCREMENT of {counted[0]} to the highest one left, so ids of deleted rows"
        " are reused"
    )


def _churn(session: Session, schema: str, name: str) -> tuple[int, int] | None:
    """Return the rows inserted and deleted since the server began to count; None if it doesn't count or hides it."""
    try:
        rows = session.rows(_CHURN, schema, name)
    except MySQLdb.Error:
        return None
    return next(((int(inserted), int(deleted)) for inserted, deleted in rows), None)


def _server_name(session: Session, schema: str, name: str) -> str:
    """Return the server's name of a table, regardless of the case it was written in."""
    [(folded,)] = session.rows("SELECT @@lower_case_table_names")
    return f"{schema}.{name}" if folded == "0" else f"{schema}.{name}".lower()
