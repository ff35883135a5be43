"""What a user decides about messages and tables; standard library only, since DAG files are read with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.problems import Problems
from airflow_legacy_events.envelopes.decoding import arguments

UPSERTS, APPENDS = "upsert", "append"

CHOICES: Mapping[str, tuple[Any, ...]] = {
    "mode": (UPSERTS, APPENDS),
    "on_delete": ("apply", "soft", "skip", "fail"),
    "on_truncate": ("fail", "apply", "skip"),
    "on_schema_change": ("fail", "ignore", "evolve"),
    "on_loss": ("fail", "round"),
}
"""Allowed words of an argument."""


@dataclass(frozen=True, kw_only=True)
class DecodingOptions:
    """Arguments of `TopicToTableOperator` that decide what a message means for a table, under their names.

    Attributes:
        table: name of the target's table, or a template of `{topic}`, `{name}` (of the topic, behind its last dot),
            `{database}`, `{schema}` and `{source_table}`.
        allowed_tables: tables that a template may name; messages for others are skipped.
        mode: `upsert`, or `append` for a row of each message.
        key_columns: columns that identify a row; None: the primary key, else a unique index.
        columns: fields that are taken, or columns by their field; None: all.
        exclude_columns: fields that are left out.
        metadata_columns: columns by what they hold of a message: topic, partition, offset, timestamp, key, event_id,
            event_time, op or header.<name>; a list where the columns have these names.
        on_delete: `apply`, `soft` (see `deleted_column`), `skip` or `fail`.
        deleted_column: marks a row that was deleted.
        on_truncate: `fail`, `apply` or `skip`.
        version_column: a message below the row's value is skipped.
        create_table: whether a table that does not exist is made, by the first message.
        column_types: types of columns that are made, in the database's words.
        on_schema_change: what a field without a column does: `fail`, `ignore` or `evolve` (its column is added).
        on_loss: whether digits that a column can't hold are refused (`fail`) or dropped (`round`).
        epoch_unit: of numbers that stand for times: `ms`, `us` or `ns`; or units by column.
        decimal_scales: digits behind the point of decimals that come as base64, by column; None for a column whose
            texts are digits.
        target_timezone: of columns without a zone.
        max_row_bytes: of key and value; a longer message can't be applied.
    """

    table: str
    allowed_tables: Sequence[str] | None = None
    mode: str = UPSERTS
    key_columns: Sequence[str] | None = None
    columns: Sequence[str] | Mapping[str, str] | None = None
    exclude_columns: Sequence[str] | None = None
    metadata_columns: Sequence[str] | Mapping[str, str] | None = None
    on_delete: str = "apply"
    deleted_column: str | None = None
    on_truncate: str = "fail"
    version_column: str | None = None
    create_table: bool = False
    column_types: Mapping[str, str] | None = None
    on_schema_change: str = "fail"
    on_loss: str = "fail"
    epoch_unit: str | Mapping[str, str] | None = None
    decimal_scales: Mapping[str, int | None] | None = None
    target_timezone: str = "UTC"
    max_row_bytes: int = 16 * 2**20

    @property
    def appends(self) -> bool:
        """Whether each message becomes a row."""
        return self.mode == APPENDS

    @property
    def metadata(self) -> Mapping[str, str]:
        """Columns by what they hold of a message."""
        return arguments.by_name(self.metadata_columns)

    @property
    def renamed(self) -> Mapping[str, str] | None:
        """Columns by their field; None: all fields, each under its own name."""
        return None if self.columns is None else arguments.by_name(self.columns)

    @property
    def soft(self) -> str | None:
        """Name of the column that marks deleted rows; None: they are deleted, or stay as they are."""
        return self.deleted_column if self.on_delete == "soft" else None

    def check(self, *, schemaless: bool = False) -> None:
        """Check the arguments without a connection.

        Args:
            schemaless: whether the envelope is one whose values may lack their types, so that `epoch_unit` and
                `decimal_scales` have a meaning.

        Raises:
            ConfigurationError: lists all that is wrong; its attribute `problems` holds each.
        """
        problems = Problems()
        for one in self._faults(schemaless=schemaless):
            with problems.collect():
                raise ConfigurationError(one)
        problems.raise_found()

    def _faults(self, *, schemaless: bool) -> Iterator[str]:
        for name, known in CHOICES.items():
            yield from arguments.choice(name, getattr(self, name), known)
        yield from arguments.tables(self.table, self.allowed_tables)
        for name in ("key_columns", "exclude_columns"):
            yield from arguments.names(name, getattr(self, name))
        for name in ("columns", "metadata_columns"):
            yield from arguments.mapping(name, getattr(self, name))
        yield from arguments.metadata(self.metadata_columns)
        for name in ("deleted_column", "version_column"):
            yield from arguments.name(name, getattr(self, name))
        yield from self._together()
        yield from arguments.types(self.column_types)
        yield from arguments.units(self.epoch_unit, self.decimal_scales, schemaless=schemaless)
        yield from arguments.zone(self.target_timezone)
        yield from arguments.size(self.max_row_bytes)

    def _together(self) -> Iterator[str]:
        """Yield what is wrong with arguments that depend on others."""
        if not isinstance(self.create_table, bool):
            yield f"create_table= must be True or False; found {self.create_table!r}"
        if (self.on_delete == "soft") != (self.deleted_column is not None):
            yield "deleted_column= goes with on_delete='soft': give both, or neither"
        if self.column_types and not self.create_table and self.on_schema_change != "evolve":
            yield "column_types= has an effect only with create_table=True or on_schema_change='evolve'; leave it out"
        if self.columns is not None and self.exclude_columns:
            yield "give columns= or exclude_columns=, not both: columns= alone says which fields are taken"
        if self.appends:
            yield from self._append_faults()
        yield from arguments.clashes(self.columns, self.metadata_columns, self.deleted_column)

    def _append_faults(self) -> Iterator[str]:
        for name in ("key_columns", "version_column", "deleted_column"):
            if getattr(self, name):
                yield f"{name}= has no effect with mode='append', which makes a row of each message; leave it out"
        if self.on_delete == "soft":
            yield "on_delete='soft' has no effect with mode='append'; use 'skip' or 'fail', or metadata_columns=['op']"
        if self.on_truncate == "apply":
            yield "on_truncate='apply' is not possible with mode='append'; use 'skip' or 'fail'"
