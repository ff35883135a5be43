"""Questions for the facts, as further columns of the statement that looks a table up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from airflow_legacy_events.databases.mysql.grants import Grants
from airflow_legacy_events.databases.mysql.session import Session
from airflow_legacy_events.databases.mysql.written import facts
from airflow_legacy_events.databases.mysql.written.hidden import references_of, sequences_of

_PART, _END = "\x01", "\x02"
_PROCESS = "PROCESS"
_ROLES_SINCE = {True: (10, 0, 5), False: (8,)}
_GROUPS_SINCE = (5, 7, 6)
_SINGLE, _GALERA, _OFF = "group_replication_single_primary_mode", "wsrep_on", frozenset({"OFF", "0"})
# Before the last @ of `CURRENT_USER()` stands the name, behind it the host.
_GRANTEE = """
CONCAT('''', LEFT(CURRENT_USER(), CHAR_LENGTH(CURRENT_USER()) - LOCATE('@', REVERSE(CURRENT_USER()))), '''@''',
       SUBSTRING_INDEX(CURRENT_USER(), '@', -1), '''')
"""
_FACTS = """
@@global.auto_increment_increment, @@global.read_only, @@global.innodb_read_only, {role}, {group},
(SELECT COUNT(*) FROM information_schema.user_privileges
  WHERE privilege_type = 'PROCESS' AND grantee = {grantee}),
(SELECT COUNT(*) FROM information_schema.processlist
  WHERE user = 'system user' AND command NOT IN ('Daemon', 'Sleep')),
(SELECT GROUP_CONCAT(
          CONCAT_WS('\x01', action_timing, event_manipulation, COALESCE(action_statement, '')) SEPARATOR '\x02')
   FROM information_schema.triggers
  WHERE event_object_schema = COALESCE(%s, DATABASE()) AND event_object_table = %s),
(SELECT GROUP_CONCAT(CONCAT_WS('\x01', constraint_name, update_rule, delete_rule) SEPARATOR '\x02')
   FROM information_schema.referential_constraints
  WHERE constraint_schema = COALESCE(%s, DATABASE()) AND table_name = %s)
"""
_GROUP = """
(SELECT GROUP_CONCAT(CONCAT_WS('\x01', variable_name, variable_value) SEPARATOR '\x02')
   FROM performance_schema.global_variables
  WHERE variable_name IN ('group_replication_single_primary_mode', 'wsrep_on'))
"""


class Answer(NamedTuple):
    """Answer to `further_columns`, column by column."""

    increment: str
    read_only: str
    innodb_read_only: str
    role: str | None
    group: str | None
    granted: str
    appliers: str
    triggers: str | None
    references: str | None


def further_columns(session: Session) -> str:
    """Return the columns to select; their parameters are `parameters_of` the table's name."""
    role = "CURRENT_ROLE()" if session.version >= _ROLES_SINCE[session.mariadb] else "NULL"
    group = _GROUP if not session.mariadb and session.version >= _GROUPS_SINCE else "NULL"
    return _FACTS.format(role=role, group=group, grantee=_GRANTEE)


def parameters_of(schema: str | None, table: str) -> tuple[Any, ...]:
    """Return the parameters of `further_columns` for a name as it is looked up."""
    return (schema, table, schema, table)


def written_in(
    session: Session,
    answer: Sequence[Any],
    found: facts.Writing,
    columns: Mapping[str, facts.Given],
    *,
    shows_references: bool,
) -> facts.Writing:
    """Return the facts.

    Args:
        session: of the user.
        answer: values of `further_columns`.
        found: what is known of the table.
        columns: of the table, by name.
        shows_references: whether its foreign keys are shown to this user, or don't matter.
    """
    got = Answer(*answer)
    group = {one[0]: one[1] for one in _parts(got.group, 2)}
    sees_all = got.granted != "0" or _by_role(session, got.role)
    return found._replace(
        sees_all=sees_all,
        increment=int(got.increment),
        replica=_replica(got, in_group=_SINGLE in group),
        several=_several(group),
        columns=columns,
        triggers=tuple(facts.Trigger(*one) for one in _parts(got.triggers, 3)),
        references=_references(session, got.references, found.name, shown=shows_references or not sees_all),
        sequences=sequences_of(session, columns),
    )


def _parts(text: str | None, most: int) -> list[tuple[str, ...]]:
    return [tuple(one.split(_PART, most - 1)) for one in text.split(_END)] if text else []


def _references(session: Session, text: str | None, table: str, *, shown: bool) -> tuple[facts.Reference, ...] | None:
    if not text and not shown:
        return references_of(session, table)
    return tuple(facts.Reference(*one) for one in _parts(text, 3))


def _by_role(session: Session, role: str | None) -> bool:
    return role not in (None, "NONE") and Grants.read(session).has(_PROCESS, "*.*")


def _replica(got: Answer, *, in_group: bool) -> str | None:
    if not {got.read_only, got.innodb_read_only} <= {"0", "OFF"}:
        return "this server is read-only"
    # The primary of a group has such sessions too.
    return "this server is a replica" if got.appliers != "0" and not in_group else None


def _several(group: Mapping[str, str]) -> str | None:
    if group.get(_SINGLE) in _OFF:
        return "group replication with several primaries"
    return "Galera" if group.get(_GALERA, "OFF") not in _OFF else None
