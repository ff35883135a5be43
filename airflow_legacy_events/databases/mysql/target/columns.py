"""Columns of a target table, from the catalog of MySQL or MariaDB."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.model.changes import TargetColumn
from airflow_legacy_events.databases.mysql.session import Session

_COLUMNS = """
SELECT column_name, column_default, is_nullable, data_type, column_type, character_maximum_length,
       character_octet_length, numeric_precision, numeric_scale, datetime_precision, character_set_name, collation_name,
       extra, privileges, {srs}
  FROM information_schema.columns
 WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position
"""
_SRS_SINCE = (8, 0, 3)
_GENERATED = re.compile(r"\b(?:VIRTUAL|STORED|PERSISTENT)\b")
_MOVES = re.compile(r"\bon update\b", re.IGNORECASE)
_MEMBER = re.compile(r"'((?:[^']|'')*)'")
_BITS = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}
_LAST_YEAR, _MOST_HOURS = 2155, 838
_SPATIAL = frozenset(
    {
        *("geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon"),
        *("geometrycollection", "geomcollection"),
    }
)
SPATIAL = _SPATIAL
"""Spatial types."""

TEXTS = frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext"})
"""Types of texts that have a character set and no members."""

BINARY = frozenset({"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "vector"})
"""Types of bytes."""

_KINDS = {
    "decimal": Kind.DECIMAL,
    "float": Kind.SINGLE,
    "double": Kind.FLOAT,
    "date": Kind.DATE,
    "time": Kind.TIME,
    "datetime": Kind.TIMESTAMP,
    "timestamp": Kind.INSTANT,
    "json": Kind.JSON,
    "uuid": Kind.UUID,
}


class CatalogColumn(NamedTuple):
    """Row of the catalog's list of columns, in its texts.

    Attributes:
        name: of the column.
        default: of new rows, as the catalog writes it; None if there is none, or it is NULL.
        nullable: `YES` or `NO`.
        base: name of its type alone.
        type: with its length and attributes.
        characters: most of a text.
        octets: most bytes of it.
        precision: of a number.
        scale: of a number.
        digits: of a second.
        charset: of a text.
        collation: of a text.
        extra: further attributes.
        privileges: of this user.
        srs: spatial reference system that it is limited to.
    """

    name: str
    default: str | None
    nullable: str
    base: str
    type: str
    characters: str | None
    octets: str | None
    precision: str | None
    scale: str | None
    digits: str | None
    charset: str | None
    collation: str | None
    extra: str
    privileges: str
    srs: str | None

    @property
    def is_generated(self) -> bool:
        """Whether the database computes its values."""
        return _GENERATED.search(self.extra) is not None

    @property
    def moves(self) -> bool:
        """Whether an UPDATE that does not set it sets it to the current time."""
        return _MOVES.search(self.extra) is not None

    @property
    def is_numbered(self) -> bool:
        """Whether AUTO_INCREMENT or a sequence numbers it."""
        return "auto_increment" in self.extra or (self.default or "").lower().startswith(("nextval(", "next value for"))

    @property
    def members(self) -> tuple[str, ...]:
        """The members of an ENUM or SET, in order."""
        return tuple(one.replace("''", "'") for one in _MEMBER.findall(self.type))

    @property
    def length(self) -> int | None:
        """Most characters of a text, or bytes."""
        return None if self.characters is None else int(self.characters)


def read_columns(session: Session, schema: str, table: str) -> list[CatalogColumn]:
    """Return the columns of a table, in order; those that this user has no right on are hidden."""
    srs = "NULL" if session.mariadb or session.version < _SRS_SINCE else "srs_id"
    rows = session.rows(_COLUMNS.format(srs=srs), schema, table)
    return [CatalogColumn(*(_text(value) for value in row)) for row in rows]  # type: ignore[arg-type]


def target_column(of: CatalogColumn, json: Collection[str]) -> TargetColumn:
    """Return a column as the port describes it.

    Args:
        of: the column.
        json: names of columns that MariaDB declares as JSON.
    """
    kind = Kind.JSON if of.name in json else _kind(of)
    low, high = _range(of)
    is_decimal, is_timed = kind is Kind.DECIMAL, kind in (Kind.TIME, Kind.TIMESTAMP, Kind.INSTANT)
    scale = of.scale if is_decimal else of.digits if is_timed else None
    return TargetColumn(
        name=of.name,
        kind=kind,
        type=of.type,
        nullable=of.nullable == "YES",
        has_default=_has_default(of),
        written=not of.is_generated,
        numbered=of.is_numbered,
        low=low,
        high=high,
        precision=int(of.precision) if is_decimal and of.precision else None,
        scale=int(scale or 0) if is_decimal or is_timed else None,
        length=_length(of),
    )


def _kind(of: CatalogColumn) -> Kind:
    if of.base in _BITS or of.base == "year":
        return Kind.INTEGER
    if of.base == "bit":
        return Kind.BOOLEAN if of.type == "bit(1)" else Kind.TEXT
    if of.base in BINARY or of.base in _SPATIAL:
        return Kind.BYTES
    return _KINDS.get(of.base, Kind.TEXT)


def _range(of: CatalogColumn) -> tuple[int | None, int | None]:
    if of.base == "year":
        return 0, _LAST_YEAR
    if of.base == "time":
        return None, _MOST_HOURS
    if of.base not in _BITS:
        return None, None
    bits = _BITS[of.base]
    return (0, 2**bits - 1) if "unsigned" in of.type else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _length(of: CatalogColumn) -> int | None:
    if of.base == "bit":
        return None if of.type == "bit(1)" else int(of.precision or 1)
    return of.length if of.base in TEXTS or of.base in BINARY else None


def _has_default(of: CatalogColumn) -> bool:
    # An ENUM that is NOT NULL begins with its first member.
    return of.nullable == "YES" or of.default is not None or of.is_numbered or of.is_generated or of.base == "enum"


def _text(value: object) -> str | None:
    """Return a value of the catalog as text; MySQL 8 has binary ones among them."""
    return value.decode() if isinstance(value, bytes) else None if value is None else str(value)
