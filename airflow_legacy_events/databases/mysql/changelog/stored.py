"""Facts of a watermark that the reader of the binlog keeps: their form is checked, since a person may edit them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.core.facts import Form, check_facts, is_text
from airflow_legacy_events.databases.mysql.changelog import places
from airflow_legacy_events.databases.mysql.changelog.creation import FILE
from airflow_legacy_events.databases.mysql.changelog.forms import COLUMNS
from airflow_legacy_events.databases.mysql.changelog.gtids import is_another_family
from airflow_legacy_events.databases.mysql.changelog.locating import LAST
from airflow_legacy_events.databases.mysql.changelog.model import BinlogPlace
from airflow_legacy_events.databases.mysql.changelog.shape import shape_in
from airflow_legacy_events.databases.mysql.changelog.transactions.state import COUNTED, GTIDS, PASSING, RANGES

KEPT = (GTIDS, RANGES, COUNTED, PASSING, COLUMNS, FILE, LAST)
"""Names of the facts."""

_PAIR = 2


def check_stored(stream: str, stored: Mapping[str, Any]) -> None:
    """Check that the facts can be understood.

    Args:
        stream: whose watermark it is.
        stored: its facts.

    Raises:
        WatermarkError: names the first that can't.
    """
    check_facts(stream, stored, _FORMS)


def place_of(stream: str, text: str) -> BinlogPlace:
    """Return the place of a watermark.

    Raises:
        WatermarkError: it is none of a binlog.
    """
    try:
        return places.place_in(text)
    except ValueError as error:
        raise WatermarkError(
            f"the watermark of stream {stream!r} is no place in a binlog: {error}; nothing was read. Write an exported"
            f" one back with {command('import', 'FILE', '--replace')}, or begin again with {command('forget', stream)}"
        ) from None


def _are_gtids(found: Any) -> bool:
    return is_text(found) and not all(is_another_family(found, mariadb=mariadb) for mariadb in (True, False))


def _are_ranges(found: Any) -> bool:
    return isinstance(found, dict) and all(map(is_text, found.values()))


def _has(**forms: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda found: isinstance(found, dict) and all(fits(found.get(name)) for name, fits in forms.items())


def _are_names(found: Any) -> bool:
    return isinstance(found, list) and all(
        isinstance(one, list) and len(one) == _PAIR and all(map(is_text, one)) for one in found
    )


def _is_number(found: Any) -> bool:
    return found is None or type(found) is int


def _are_shapes(found: Any) -> bool:
    try:
        return all(map(is_text, (part for *names, _ in found for part in names))) and all(
            shape_in(shape) for *_, shape in found
        )
    except (TypeError, ValueError, KeyError, AttributeError):
        return False


_FORMS: Mapping[str, Form] = {
    GTIDS: (_are_gtids, "a text of GTIDs"),
    RANGES: (_are_ranges, "an object of texts file:start-end by the name of an XA transaction"),
    COUNTED: (_has(name=is_text, tables=_are_names), "an object of name and tables, each [database, table]"),
    PASSING: (_has(gtids=_are_gtids, until=is_text), "an object of gtids and until"),
    COLUMNS: (_has(tables=_are_shapes), "an object of tables, each [database, table, columns]"),
    FILE: (_has(name=is_text), "an object of name and created"),
    LAST: (_has(gtid=is_text, changed=_is_number), "an object of gtid and changed"),
}
