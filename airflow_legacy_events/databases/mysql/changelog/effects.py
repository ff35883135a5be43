"""What statements of the log do to the tables of a stream."""

from __future__ import annotations

from collections.abc import Callable, Collection, MutableMapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from airflow_legacy_events.core.model.log import TableName
from airflow_legacy_events.databases.mysql.changelog import statements
from airflow_legacy_events.databases.mysql.changelog.altering import DROPPED_PARTITIONS
from airflow_legacy_events.databases.mysql.changelog.columns import Catalog
from airflow_legacy_events.databases.mysql.changelog.model import Effect
from airflow_legacy_events.databases.mysql.changelog.shape import TableShape, renamed
from airflow_legacy_events.databases.mysql.changelog.statements import Found
from airflow_legacy_events.databases.mysql.tokens import Name

_TRUNCATE, _GAP, _LOST, _ALTERED = "truncate", "gap", "lost", "altered"
_ROWS = "(SET GLOBAL binlog_format='ROW', and no session may set another)"
_CHANGED = f"a statement changed its rows, which the log does not hold {_ROWS}"
_CALLED = f"a stored function that may have changed its rows is in the log as a statement {_ROWS}"
_UNKNOWN = "a statement that may have changed its rows is in the log, and it can't be understood"
_MOVED = "it was renamed, or another table took its name"
_FILLED = "it came with rows that the log does not hold"

_ONLY_ADDED = (statements.ADDED, statements.SELECTED)
_ROWS_CHANGED = (statements.ADDED, statements.CHANGED, statements.EMPTIED)


class Outcome(NamedTuple):
    """Effects of a statement, and the tables whose columns may be others."""

    effects: list[Effect]
    touched: set[TableName]


class Effects:
    """Finds effects, and keeps the shapes of tables up to date.

    Args:
        wanted: returns the table of the stream that a name means; see `model.Forms.wanted`.
        tables: of the stream.
        shapes: of them; changed by what is found.
        known: returns the shape of a table, from the catalog if it has none yet.
        catalog: of the server.
        folded: names of a database and a table as they are compared.
    """

    def __init__(
        self,
        wanted: Callable[[str, str], TableName | None],
        tables: Collection[TableName],
        shapes: MutableMapping[TableName, TableShape],
        known: Callable[[TableName], TableShape | None],
        catalog: Catalog,
        folded: Callable[[str, str], tuple[str, str]],
    ) -> None:
        self._wanted, self._tables, self._shapes, self._known = wanted, tables, shapes, known
        self._catalog, self._folded = catalog, folded
        self._temporary: set[tuple[str, str]] = set()

    def of(self, found: Sequence[Found], database: str) -> Outcome:
        """Return the effects of a statement, each once, and take note of changed columns.

        Args:
            found: what it does to tables.
            database: the session's default database.
        """
        outcome = Outcome([], set())
        for one in found:
            for effect in self._effects(one, database, outcome.touched):
                if effect not in outcome.effects:
                    outcome.effects.append(effect)
        return outcome

    def reshapes(self, found: Sequence[Found], database: str, table: TableName) -> bool:
        """Return whether a statement may change the columns of a table; takes no note of it."""
        for one in found:
            if one.altered is None or one.altered.reshapes or one.altered.names or one.altered.dropped:
                kinds = (statements.MADE, statements.REPLACED, statements.TAKEN, statements.ALTERED)
                if one.kind in kinds and self._table(one.name, database) == table:
                    return True
        return False

    def _table(self, name: Name, database: str) -> TableName | None:
        return self._wanted(name.schema or database, name.name)

    def _effects(self, found: Found, database: str, touched: set[TableName]) -> list[Effect]:
        if found.kind == statements.ANY:
            return [Effect(one, _LOST, _CALLED, removed=True) for one in self._tables]
        if found.kind == statements.DATABASE:
            return [self._dropped(one, touched) for one in self._of_database(found.name.name)]
        if found.kind in (statements.TEMPORARY, statements.PERMANENT):
            change = self._temporary.add if found.kind == statements.TEMPORARY else self._temporary.discard
            change(self._folded(found.name.schema or database, found.name.name))
            return []
        table = self._table(found.name, database)
        if table is None:
            return self._elsewhere(found, database)
        plain = self._plain(found.kind, table)
        return self._defined(found, table, touched) if plain is None else [plain]

    def _plain(self, kind: str, table: TableName) -> Effect | None:
        """Return the effect of a statement that changed rows, and no definition."""
        if kind == statements.TRUNCATED:
            return Effect(table, _TRUNCATE, "it was truncated")
        if kind == statements.FILLED:
            return Effect(table, _GAP, _FILLED, removed=True)
        if kind == statements.EMPTIED and self._catalog.is_memory(table):
            return Effect(table, _TRUNCATE, "it was emptied")
        why = _UNKNOWN if kind == statements.UNKNOWN else _CHANGED if kind in (*_ROWS_CHANGED, *_ONLY_ADDED) else None
        return None if why is None else Effect(table, _LOST, why, removed=kind not in _ONLY_ADDED)

    def _defined(self, found: Found, table: TableName, touched: set[TableName]) -> list[Effect]:
        shape = self._known(table)
        gone = shape is not None and shape.gone
        if found.kind == statements.DROPPED:
            return [] if gone and found.maybe else [self._dropped(table, touched)]
        if found.kind == statements.MADE:
            return [] if found.maybe and not gone else self._made(table, touched)
        if found.kind == statements.REPLACED:
            effects = [] if gone else [Effect(table, _TRUNCATE, "it was replaced")]
            return [*effects, *self._made(table, touched)]
        if found.kind in (statements.AWAY, statements.TAKEN):
            self._note(table, touched, gone=found.kind == statements.AWAY, altered=True, exact=False)
            return [Effect(table, _GAP, _MOVED, removed=True)]
        return self._altered(found, table, touched)

    def _altered(self, found: Found, table: TableName, touched: set[TableName]) -> list[Effect]:
        what = found.altered
        if what is None:
            return []
        effects = []
        if what.names or what.dropped or what.reshapes or what.keys:
            if (shape := self._known(table)) is not None:
                came = tuple(dict.fromkeys((*shape.came, *what.came)))
                self._shapes[table] = replace(renamed(shape, what.names, what.dropped), came=came)
            if what.reshapes or (what.keys and self._catalog.mariadb):
                self._note(table, touched, altered=True)
            touched.add(table)
            effects.append(Effect(table, _ALTERED, "its columns were changed"))
        if what.rewritten is not None:
            effects.append(Effect(table, _GAP, what.rewritten, removed=what.replaced))
        if what.emptied is not None and not (what.emptied == DROPPED_PARTITIONS and self._catalog.keeps_history(table)):
            effects.append(Effect(table, _TRUNCATE, what.emptied, partial=True))
        return effects

    def _made(self, table: TableName, touched: set[TableName]) -> list[Effect]:
        self._note(table, touched, gone=False, altered=True, exact=False)
        return [Effect(table, _ALTERED, "it was made")]

    def _dropped(self, table: TableName, touched: set[TableName]) -> Effect:
        self._note(table, touched, gone=True, altered=True, exact=False)
        return Effect(table, _TRUNCATE, "it was dropped")

    def _note(self, table: TableName, touched: set[TableName], **what: Any) -> None:
        touched.add(table)
        if (shape := self._known(table)) is not None:
            self._shapes[table] = replace(shape, **what)

    def _of_database(self, name: str) -> list[TableName]:
        folded = self._folded(name, "")
        return [one for one in self._tables if self._folded(one.schema, "") == folded]

    def _elsewhere(self, found: Found, database: str) -> list[Effect]:
        """Return what a statement that changed another table may have set off in those of the same database."""
        name = TableName(found.name.schema or database, found.name.name)
        if found.kind not in _ROWS_CHANGED or self._folded(*name) in self._temporary:
            return []
        why = (
            f"a statement changed rows of {name}; what its triggers and foreign keys changed is not in the log {_ROWS}"
        )
        return [Effect(one, _GAP, why, removed=True) for one in self._of_database(name.schema)]
