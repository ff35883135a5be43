"""How complete a MySQL or MariaDB stream by id is below its horizon."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.ports import Written
from airflow_legacy_events.databases.mysql.grants import quoted
from airflow_legacy_events.databases.mysql.written import Sequence, Writing
from airflow_legacy_events.databases.verdict import BOUNDED, Verdict, gap

_INSTEAD = "order by a TIMESTAMP column with DEFAULT and ON UPDATE CURRENT_TIMESTAMP"
_POOLS = "ids that were taken before, such as those of a pool, or that are set by hand, are not waited for"


def judged_ids(of: Written, facts: Writing) -> Verdict:
    """Return completeness and reason of a column that is no time."""
    column = of.column.name
    given, sequence = facts.columns.get(column), facts.sequences.get(column)
    if sequence is not None:
        return _by_sequence(column, sequence, facts.user)
    if given is None or "auto_increment" not in given.extra.lower():
        why = f"no AUTO_INCREMENT gives the values of column {column!r}, of type {of.column.type}: lower ones may come"
        alter = f"ALTER TABLE {facts.name} MODIFY {quoted(column)} bigint NOT NULL AUTO_INCREMENT"
        is_number = of.column.kind is Kind.INTEGER
        return gap(f"{why} later", f"{alter}; or {_INSTEAD}" if is_number else f"Rather {_INSTEAD}")
    if facts.increment > 1:
        why = f"auto_increment_increment = {facts.increment}: other servers may give the ids between those of this one"
        return gap(why, f"SET GLOBAL auto_increment_increment = 1, if this server alone writes; or {_INSTEAD}")
    return Verdict(BOUNDED, f"each statement takes its values of {column!r} from AUTO_INCREMENT itself; {_POOLS}")


def _by_sequence(column: str, sequence: Sequence, user: str) -> Verdict:
    if sequence.cache is None:
        why = f"this user may not see how sequence {sequence.name} gives the values of column {column!r}"
        return gap(why, f"GRANT SELECT ON {sequence.name} TO {user}; or {_INSTEAD}")
    if wrong := list(_out_of_order(sequence)):
        faults, settings = zip(*wrong, strict=True)
        why = f"ids of sequence {sequence.name} may be written in another order than it gives them: {', '.join(faults)}"
        return gap(why, f"ALTER SEQUENCE {sequence.name} {' '.join(settings)}; or {_INSTEAD}")
    return Verdict(BOUNDED, f"each statement takes its values of {column!r} from {sequence.name} itself; {_POOLS}")


def _out_of_order(sequence: Sequence) -> Iterator[tuple[str, str]]:
    """Yield what lets a sequence's values be written in another order, each with the setting that ends it."""
    if sequence.cache != 0:
        yield f"the server reserves {sequence.cache} at once (CACHE)", "NOCACHE"
    if sequence.increment != 1:
        yield f"others may give those between (INCREMENT {sequence.increment})", "INCREMENT BY 1"
    if sequence.cycles:
        yield "they begin again after the last one (CYCLE)", "NOCYCLE"
