"""Tables of the target: looked up, made where the user wants that, and given the columns of new fields."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.errors import ConfigurationError, SchemaChangedError, TargetError
from airflow_legacy_events.core.model.changes import DELETE, TRUNCATE, Received, TargetShape
from airflow_legacy_events.core.model.meaning import Meaning
from airflow_legacy_events.core.ports.decoder import Decoder
from airflow_legacy_events.core.ports.target import NewColumn, Target, Wanted
from airflow_legacy_events.core.zones import zone_named
from airflow_legacy_events.envelopes.decoders.values import Options
from airflow_legacy_events.envelopes.decoding.assembling import TableAssembler
from airflow_legacy_events.envelopes.decoding.new_columns import kinds_of, metadata_columns, new_columns
from airflow_legacy_events.envelopes.decoding.options import DecodingOptions
from airflow_legacy_events.envelopes.decoding.schemaless import Types

_MEMBERS = {
    "cloudevents": frozenset({"specversion", "data"}),
    "debezium": frozenset({"before", "after", "op"}),
    "maxwell": frozenset({"database", "table", "data"}),
}
"""Fields by which rows look like events of another envelope."""

Entries: TypeAlias = Sequence[tuple[int, Meaning]]
"""Messages of one table: place and meaning of each."""


class Tables:
    """Finds the shape of each table, and makes what assembles its changes.

    Args:
        decoder: of the messages' envelope.
        target: of the tables.
        options: of the user.
        log: of the task.

    Attributes:
        found: what assembles the changes of each table that is there.
    """

    def __init__(self, decoder: Decoder, target: Target, options: DecodingOptions, log: logging.Logger) -> None:
        self._decoder, self._target, self._options, self._log = decoder, target, options, log
        self._values = Options(zone_named(options.target_timezone), options.on_loss == "round")
        self._wanted = Wanted(
            append=options.appends,
            key=tuple(options.key_columns or ()),
            version=options.version_column,
            deleted=options.soft,
            event_id=options.metadata.get("event_id"),
            others=tuple(options.allowed_tables or ()),
        )
        self.found: dict[str, TableAssembler] = {}

    def look_up(self, name: str) -> TargetShape | None:
        """Return the shape of a table that is there, None if there is none and it may be made.

        Raises:
            ConfigurationError: there is none, or it can't be written to as the user wants.
        """
        if name in self.found:
            return self.found[name].shape
        shape = self._target.reflect(name, self._wanted)
        if shape is None:
            if not self._options.create_table:
                raise ConfigurationError(
                    f"table {name!r} does not exist in the target: create it, or let the first message make it with"
                    " create_table=True. Nothing was read"
                )
            return None
        for warning in shape.warnings:
            self._log.warning("%s", warning)
        self._keep(name, self._with_metadata(name, shape))
        return self.found[name].shape

    def of(self, name: str, entries: Entries, received: Received) -> TableAssembler | None:
        """Return what assembles a table's changes, after making the table if it does not exist.

        None if it does not exist, and none of the messages has a row that it could be made of.
        """
        if name not in self.found and self.look_up(name) is None and not self._make(name, entries, received):
            return None
        return self.found[name]

    def grow(self, assembler: TableAssembler, entries: Entries, received: Received) -> TableAssembler | None:
        """Add columns for the fields that the table has none for; None if they are ignored.

        Raises:
            SchemaChangedError: such fields are a fault; the message holds the ALTER TABLE.
        """
        table, unknown = assembler.shape.table, assembler.unknown
        rows = [
            {field: meaning.fields[field] for field in unknown if field in meaning.fields} for _, meaning in entries
        ]
        kinds = kinds_of(rows)
        evolves = self._options.on_schema_change == "evolve"
        schema = self._schema(entries, received)
        if evolves:  # a field without any value does not say its type yet
            kinds = {name: kind for name, kind in kinds.items() if kind is not None or name in schema}
        if not kinds:
            return None
        _refuse_other_case(assembler, kinds)
        columns = new_columns(self._options, kinds, schema)
        if not evolves:
            raise self._unknown_fields(table, columns)
        self._log.info("table %s: adding columns for new fields: %s", table, ", ".join(one.name for one in columns))
        self._target.add(table, columns)
        shape = self._reflected(table)
        there = {one.name for one in shape.columns}
        if missing := [one for one in columns if one.name not in there]:
            raise _otherwise_named(table, missing)
        self._keep(table, shape)
        return self.found[table]

    def _unknown_fields(self, table: str, columns: Sequence[NewColumn]) -> SchemaChangedError:
        names = {one.name for one in columns}
        likely = next((envelope for envelope, members in _MEMBERS.items() if members <= names), None)
        error = SchemaChangedError(
            f"table {table!r} has no column for the fields {', '.join(repr(one.name) for one in columns)} of its"
            " messages; nothing of their batch was applied, and the position stays below it."
            f"{'' if likely is None else f' They look like events of envelope={likely!r}; if they are, set it. Else'}"
            f"{' Run' if likely is None else ' run'} this, or set on_schema_change='evolve' or 'ignore':\n"
            f"{self._target.added(table, columns)}"
        )
        error.retry_helps = False
        return error

    def _make(self, name: str, entries: Entries, received: Received) -> bool:
        rows = [meaning.fields for _, meaning in entries if meaning.op not in (DELETE, TRUNCATE) and meaning.fields]
        if not rows:
            return False
        wanted = self._wanted_fields(kinds_of(rows))
        key = () if self._options.appends else self._key(name, entries, received, wanted)
        columns = new_columns(self._options, wanted, self._schema(entries, received), key)
        columns += [
            one for one in metadata_columns(self._options, key) if one.name not in {have.name for have in columns}
        ]
        columns += self._marks({one.name for one in columns})
        self._log.info("table %s: making it, with columns %s", name, ", ".join(one.name for one in columns))
        self._target.make(name, columns, key)
        self._keep(name, self._reflected(name))
        return True

    def _key(self, name: str, entries: Entries, received: Received, fields: Mapping[str, Kind | None]) -> list[str]:
        """Return the key of a new table: that of the user, else the names in the messages' keys."""
        if self._options.key_columns is not None:
            return list(self._options.key_columns)
        renamed = self._options.renamed or {}
        for at, _ in entries:
            key = received.keys[at]
            names = [] if key is None or not key.startswith(b"{") else list(self._decoder.key(key, ()))
            if names and all(one in fields for one in names):
                return [renamed.get(one, one) for one in names]
        raise ConfigurationError(
            f"table {name!r} can't be made without a key: name key_columns=, or set mode='append'. The messages' keys"
            " have no names. Nothing of the batch was applied"
        )

    def _wanted_fields(self, kinds: Mapping[str, Kind | None]) -> dict[str, Kind | None]:
        renamed, excluded = self._options.renamed, set(self._options.exclude_columns or ())
        taken = {name: kind for name, kind in kinds.items() if name not in excluded and name != self._options.soft}
        return taken if renamed is None else {name: taken.get(name) for name in renamed}

    def _marks(self, there: set[str]) -> list[NewColumn]:
        """Return the column that marks deleted rows."""
        name, types = self._options.soft, self._options.column_types or {}
        return [] if name is None or name in there else [NewColumn(name, Kind.BOOLEAN, types.get(name))]

    def _schema(self, entries: Entries, received: Received) -> Mapping[str, NewColumn]:
        """Return the columns that the messages' schemas describe, the newest for each field."""
        describe = getattr(self._decoder, "columns", None)
        found: dict[str, NewColumn] = {}
        if describe is None:
            return found
        for at, meaning in entries:
            if meaning.typed and meaning.fields:
                found.update(describe(received, at))
        return found

    def _with_metadata(self, name: str, shape: TargetShape) -> TargetShape:
        """Return the shape after adding columns of metadata that it lacks, where the table may evolve."""
        there = {one.name for one in shape.columns}
        missing = [one for one in metadata_columns(self._options) if one.name not in there]
        if not missing or self._options.on_schema_change != "evolve":
            return shape
        self._target.add(name, missing)
        return self._reflected(name)

    def _reflected(self, name: str) -> TargetShape:
        shape = self._target.reflect(name, self._wanted)
        if shape is None:
            raise TargetError(f"table {name!r} is not there although it was made; was it dropped meanwhile?")
        return shape

    def _keep(self, name: str, shape: TargetShape) -> None:
        positions = {one.name: at for at, one in enumerate(shape.columns)}
        renamed, metadata = self._options.renamed, self._options.metadata
        written = [*metadata.values(), *(renamed or {}).values()]
        if missing := [one for one in written if one not in positions]:
            names = ", ".join(map(repr, missing))
            raise ConfigurationError(
                f"table {name!r} has no column {names}, which columns= or metadata_columns= name; add it, or correct"
                " the argument"
            )
        taken = set(metadata.values()) | ({self._options.soft} if self._options.soft else set())
        fields = renamed if renamed is not None else {one: one for one in positions}
        excluded = frozenset(self._options.exclude_columns or ())
        taken_from = {
            positions[column]: field
            for field, column in fields.items()
            if field not in excluded and column not in taken and shape.columns[positions[column]].written
        }
        ignored = excluded | {one.name for one in shape.columns if not one.written} | taken
        ignores = self._options.on_schema_change == "ignore"
        near = {one.name.lower() for one in shape.columns if one.written and one.name not in taken}
        self.found[name] = TableAssembler(
            shape,
            taken_from,
            self._decoder,
            self._values._replace(infinite=shape.infinite, incomplete=shape.incomplete),
            {positions[column]: what for what, column in metadata.items()},
            ignored,
            renamed is not None or ignores,
            frozenset(near if ignores and renamed is None else ()),
            Types(self._options.epoch_unit, self._options.decimal_scales),
            self._options.appends,
        )


def _refuse_other_case(assembler: TableAssembler, fields: Iterable[str]) -> None:
    """Refuse fields that differ from a column in upper and lower case only: a second column would split their values.

    Raises:
        SchemaChangedError: there are such fields; the message holds the columns= that takes them.
    """
    there = {one.name.lower(): one.name for one in assembler.shape.columns if one.written}
    twins = {one: there[one.lower()] for one in fields if one.lower() in there}
    if not twins:
        return
    written = {column: field for field, column in twins.items()}
    named = [assembler.shape.columns[at].name for at in assembler.names]
    taken = {written.get(one, one): one for one in named}
    error = SchemaChangedError(
        f"table {assembler.shape.table!r} has {', '.join(map(repr, twins.values()))} for the fields"
        f" {', '.join(map(repr, twins))} of its messages only in another case. Set columns= to say which is which;"
        f" nothing of their batch was applied, and the position stays below it:\n`columns={taken!r}`"
    )
    error.retry_helps = False
    raise error


def _otherwise_named(table: str, missing: Sequence[NewColumn]) -> TargetError:
    names = ", ".join(repr(one.name) for one in missing)
    return TargetError(
        f"table {table!r} has no column of the names {names} although it was added: the database has shortened or"
        " changed the name. Name the column in columns=, or leave the field out with exclude_columns=. Nothing of the"
        " batch was applied"
    )
