"""Schema-qualified functions, operators and types in our statements, independent of the session's search_path.

An unqualified name is looked up along the path, and the closest match wins: `v > $1` of a varchar column calls
`public.> (varchar, varchar)`, if it exists, with the rights of the reading user. User-written SQL and the path itself
are not changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from psycopg.postgres import types
from sqlalchemy.dialects.postgresql.psycopg import PGCompiler_psycopg
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, ColumnClause, Tuple

from airflow_legacy_events.databases import keyset
from airflow_legacy_events.databases.conditions import bound
from airflow_legacy_events.databases.postgres.sizes import Bounded, guard

_SYMBOLS = {
    operators.eq: "=",
    operators.ne: "<>",
    operators.lt: "<",
    operators.le: "<=",
    operators.gt: ">",
    operators.ge: ">=",
    operators.add: "+",
    operators.sub: "-",
}
_SPELLED_OUT: Mapping[Any, Callable[[Sequence[Any], Sequence[Any]], Any]] = {
    operators.gt: keyset.beyond,
    operators.ge: lambda columns, values: keyset.beyond(columns, values, inclusive=True),
    operators.le: keyset.until,
    operators.lt: lambda columns, values: sa.not_(keyset.beyond(columns, values, inclusive=True)),
    operators.eq: lambda columns, values: sa.and_(*map(operators.eq, columns, values)),
}
# These are keywords of the grammar, not names.
_SYNTAX = ("coalesce(", "CURRENT_")
_LOOKED_UP = {"DATE": "pg_catalog.date", "TEXT": "pg_catalog.text"}


class Operators(NamedTuple):
    """Sort operators of a type outside of `pg_catalog`.

    Attributes:
        type: their argument type, with its schema.
        names: by comparison: `OPERATOR(schema.name)` for `<`, `<=`, `=`, `>=` and `>`.
        called: whether the names are function names.
    """

    type: str
    names: Mapping[str, str]
    called: bool = False


class Named(NamedTuple):
    """Name of a column's type in statements.

    Attributes:
        type: its name with its schema; for a domain, that of its base type.
        operators: its sort operators; None: those of `pg_catalog`.
    """

    type: str
    operators: Operators | None = None


class Known:
    """Columns of the tables and queries that were described.

    Attributes:
        odd: whether one of them is of a type outside of `pg_catalog`.
    """

    def __init__(self) -> None:
        self.odd = False
        self._columns: dict[Any, Mapping[str, Named]] = {}

    def add(self, selectable: Any, columns: Mapping[str, Named]) -> None:
        """Remember the columns of a table or query, by name."""
        if (key := _key(selectable)) is not None:
            self._columns[key] = columns
        self.odd |= not all(one.type.startswith("pg_catalog.") for one in columns.values())

    def of(self, selectables: Iterable[Any]) -> Mapping[str, Named]:
        """Return the known columns of tables and queries."""
        return {name: one for each in selectables for name, one in self._columns.get(_key(each), {}).items()}


class QualifiedCompiler(PGCompiler_psycopg):
    """Compiles SQLAlchemy statements.

    The dialect has attributes for it: `known`, a `Known`; `max_row_bytes`; `tells_compression`, see `sizes.guard`.
    """

    _columns: Mapping[str, Named] = {}
    _guarded = False
    dialect: Any

    def visit_select(self, select_stmt: Any, *arguments: Any, **options: Any) -> str:
        """Compile with the columns of the FROM elements known; finding those takes as long as the rest."""
        found = select_stmt.get_final_froms() if self.dialect.known.odd else ()
        return self._with(found, super().visit_select, select_stmt, *arguments, **options)

    def visit_delete(self, delete_stmt: Any, *arguments: Any, **options: Any) -> str:
        """Compile with the columns of the table known."""
        return self._with([delete_stmt.table], super().visit_delete, delete_stmt, *arguments, **options)

    def visit_update(self, update_stmt: Any, *arguments: Any, **options: Any) -> str:
        """Compile with the columns of the table known."""
        return self._with([update_stmt.table], super().visit_update, update_stmt, *arguments, **options)

    def visit_binary(self, binary: Any, override_operator: Any = None, **options: Any) -> str:  # type: ignore[override]
        """Compile a comparison or sum with the operator's schema."""
        operator = override_operator or binary.operator
        symbol = _SYMBOLS.get(operator)
        if symbol is None:
            visit: Any = super().visit_binary
            return str(visit(binary, override_operator=override_operator, **options))
        left, right = binary.left, binary.right
        if isinstance(left, Tuple) and isinstance(right, Tuple) and any(map(self._operators, left.clauses)):
            spelled = _SPELLED_OUT[operator](list(left.clauses), list(right.clauses))
            return f"({self.process(spelled, **options)})"
        found = self._operators(left) or self._operators(right)
        return self._compared(self._operand(left, options), symbol, self._operand(right, options), found)

    def visit_in_op_binary(self, binary: Any, operator: Any, **options: Any) -> str:  # noqa: ARG002
        """Compile `IN` of a list of values."""
        values: Any = binary.right.value if isinstance(binary.right, BindParameter) else _elements(binary.right)
        if isinstance(binary.left, Tuple):
            return self._rows_in(list(binary.left.clauses), values, options)
        found, left = self._operators(binary.left), self._operand(binary.left, options)
        if any(isinstance(value, sa.ColumnElement) for value in values) or (found is not None and found.called):
            alternatives = (binary.left == bound(value) for value in values)
            return f"({self.process(sa.or_(sa.false(), *alternatives), **options)})"
        array = self.process(bound(_array(values)), **options)
        if found is None:
            return f"{left} OPERATOR(pg_catalog.=) ANY ({array})"
        return f"CAST({left} AS {found.type}) {found.names['=']} ANY (CAST({array} AS {found.type}[]))"

    def visit_not_in_op_binary(self, binary: Any, operator: Any, **options: Any) -> str:
        """Compile `NOT IN` of a list of values."""
        return f"(NOT ({self.visit_in_op_binary(binary, operator, **options)}))"

    def visit_between_op_binary(self, binary: Any, operator: Any, **options: Any) -> str:  # noqa: ARG002
        """Compile `BETWEEN` as its two comparisons."""
        low, high = binary.right.clauses
        return f"({self.process(sa.and_(binary.left >= low, binary.left <= high), **options)})"

    def visit_bounded(self, element: Bounded, **options: Any) -> str:
        """Compile a page's column. The first one contains the size guard, which fails if the row is too large."""
        plain = self.process(sa.column(element.column.name), **options)
        if self._guarded:
            return plain
        given = self.execution_options
        self._guarded, columns = "expected" in given, given.get("expected", (element.column,))
        most, reported = given.get("row_bytes", self.dialect.max_row_bytes), self.dialect.tells_compression
        found = guard(columns, most, tells_compression=reported)
        return plain if found is None else f"CASE WHEN {self.process(found)} IS NULL THEN {plain} END"

    def visit_function(self, func: Any, add_to_result_map: Any = None, **options: Any) -> str:
        """Compile the call of a function of `pg_catalog`."""
        text = str(super().visit_function(func, add_to_result_map=add_to_result_map, **options))
        several = func.name == "unnest" and len(func.clauses) > 1  # with several arrays it is a keyword too
        return text if several or text.startswith(_SYNTAX) or func.packagenames else f"pg_catalog.{text}"

    def visit_cast(self, cast: Any, **options: Any) -> str:
        """Compile a cast with the type's schema."""
        type_, operand = cast.typeclause.type, self.process(cast.clause, **options)
        if isinstance(type_, ArrayOf):
            named = self._columns.get(type_.column)
            return f"CAST({operand} AS {type_.written if named is None else named.type}[])"
        written = self.process(cast.typeclause, **options)
        return f"CAST({operand} AS {_LOOKED_UP.get(written, written)})"

    def _with(self, selectables: Iterable[Any], visit: Callable[..., Any], *arguments: Any, **options: Any) -> str:
        before = self._columns
        self._columns = {**before, **self.dialect.known.of(selectables)}
        try:
            return str(visit(*arguments, **options))
        finally:
            self._columns = before

    def _operators(self, element: Any) -> Operators | None:
        named = self._columns.get(element.name) if isinstance(element, ColumnClause) else None
        return None if named is None else named.operators

    def _operand(self, element: Any, options: Mapping[str, Any]) -> str:
        text = self.process(element, **options)
        return f"({text})" if isinstance(element, BinaryExpression) else text

    def _compared(self, left: str, symbol: str, right: str, found: Operators | None) -> str:
        if found is None:
            return f"{left} OPERATOR(pg_catalog.{symbol}) {right}"
        left, right = f"CAST({left} AS {found.type})", f"CAST({right} AS {found.type})"
        if symbol == "<>":
            return f"NOT ({self._called(left, found, '=', right)})"
        return self._called(left, found, symbol, right)

    def _called(self, left: str, found: Operators, symbol: str, right: str) -> str:
        name = found.names[symbol]
        return f"{name}({left}, {right})" if found.called else f"{left} {name} {right}"

    def _rows_in(self, columns: Sequence[Any], rows: Sequence[Sequence[Any]], options: Mapping[str, Any]) -> str:
        named = [(self._operand(column, options), self._operators(column)) for column in columns]
        alternatives = (
            " AND ".join(
                self._compared(left, "=", self.process(bound(value), **options), found)
                for (left, found), value in zip(named, row, strict=True)
            )
            for row in rows
        )
        return f"({' OR '.join(alternatives) or 'false'})"


class ArrayOf(sa.types.UserDefinedType[Any]):
    """Array of a column's type.

    Args:
        column: its name.
        type_: type from the table's description; used only if the compiler doesn't know the table.
    """

    cache_ok = True

    def __init__(self, column: str, type_: str) -> None:
        known = types.get(type_.partition("(")[0])
        self.column, self.written = column, type_ if known is None else f"pg_catalog.{known.name}"


def _key(selectable: Any) -> Any:
    if isinstance(selectable, sa.TableClause):
        return selectable.schema, selectable.name
    return getattr(selectable, "text", None)


def _elements(clause: Any) -> list[Any]:
    found = getattr(clause, "element", clause).clauses
    return [one.value if isinstance(one, BindParameter) else one for one in found]


def _array(values: Iterable[Any]) -> str:
    """Return an array literal in PostgreSQL syntax."""
    quoted = (str(value).replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return "{" + ",".join(f'"{value}"' for value in quoted) + "}"
