"""Change log operator: sends every committed change of tables to a topic each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from airflow.sdk import Context

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import RunMode
from airflow_legacy_events.hooks.registry import LOG_ENVELOPES, find
from airflow_legacy_events.operators._base import BaseStreamOperator
from airflow_legacy_events.operators._log_mode import INSTEAD, decide_log
from airflow_legacy_events.operators._mapped import refuse_shared_connection, refuse_shared_slot
from airflow_legacy_events.operators._window_record import WindowRecord
from airflow_legacy_events.streams.naming import slot_of
from airflow_legacy_events.streams.specs.changelog import ChangeLogSpec

MAXWELL = "maxwell"
WITH_OLD_ROWS = ("debezium", MAXWELL)
"""Envelopes by name whose messages hold old rows; their classes say the same."""


class ChangeLogDrainOperator(BaseStreamOperator):
    """Sends every insert, update and delete of tables, in commit order, from the server's log to a topic per table.

    A run reads from where the last one ended to the end of the log at its start, and ends. The tables are not queried
    for it. The first run sends the rows that are there. On PostgreSQL it makes a publication and a replication slot
    before, and what is confirmed is released on the server, also where no table of this stream changed. On MariaDB and
    MySQL the binlog is read, which the server keeps by its own settings.

    A log can't be replayed: a run with the configuration ``{"snapshot": ["public.orders"]}`` sends tables as they are
    now, beside their changes.

    The arguments below are this operator's own; see ``BaseStreamOperator`` for the others.

    :param tables: tables as ``schema.table``, or ``schema.*`` for all tables of a schema at the start of each run; on
        MariaDB and MySQL ``database.table`` and ``database.*``. A table that is new to the list is read as on a first
        run. (templated)
    :param slot: of PostgreSQL: name of the replication slot; default is ``legacy_events_<dag_id>_<task_id>`` in lower
        case, with a hash where anything was changed or cut. The stream is ``<source_conn_id>.<slot>@log``. Mapped tasks
        name it. On MariaDB and MySQL the stream is ``<source_conn_id>.<dag_id>.<task_id>@log``, and mapped tasks need a
        connection each. (templated)
    :param publication: of PostgreSQL: name of a publication that you made and maintain; default is one of the slot's
        name, made and maintained by the operator. (templated)
    :param key_columns: columns of the message key by table: ``{"public.orders": ["number"]}``; default is the primary
        key. On PostgreSQL they must be part of the table's replica identity. (templated)
    :param exclude_columns: columns that never leave the database, by table. (templated)
    :param first_run: ``all``, each table's rows, then its changes; or ``now``, changes only.
    :param topic: topic of each table; ``{schema}``, ``{table}`` and ``{database}`` stand for its names. Characters that
        a topic can't hold become ``_``. Two tables on one topic are an error. (templated)
    :param envelope: ``cloudevents``, ``plain``, ``debezium``, on MariaDB and MySQL ``maxwell``, or an object that
        implements the port ``Envelope``, such as ``DebeziumEnvelope(decimals="string")`` of
        ``airflow_legacy_events.envelopes.debezium``.
    :param images: ``after``, the row after its change, of a delete the row before it; or ``both``, as ``before`` and
        ``after``, as far as the log has them. Default is ``after``, with ``debezium`` and ``maxwell`` ``both``.
    :param tombstones: whether a delete also sends its key without a value, by which a compacted topic forgets the key;
        default is as the envelope does: ``cloudevents`` and ``maxwell`` send none, ``debezium`` does, and ``plain``
        sends nothing else for a delete.
    :param message_topics: of PostgreSQL: topics of outbox events that the application writes into the log instead of a
        table, by the prefix of their messages: ``{"outbox": "outbox.event.{aggregate_type}"}``. The statement is
        ``SELECT pg_logical_emit_message(true, 'outbox', …)`` with a JSON object of ``id``, ``aggregatetype``,
        ``aggregateid``, ``type`` and ``payload``, and if wanted ``headers`` and ``timestamp``. A topic may name
        ``{aggregate_type}``, ``{aggregate_id}``, ``{event_type}`` and ``{id}``. The message is the payload, keyed by
        the aggregate's id, with the header ``id``, whatever ``envelope`` is. With it, ``tables`` may be empty.
        (templated)
    :param transaction_topic: topic that receives a ``BEGIN`` and an ``END`` for each transaction with events of tables,
        in the format of Debezium: ``END`` has the number of its events, as a whole and by table. Events then name their
        transaction in the header ``transactionid``, and CloudEvents in an attribute of that name. (templated)
    :param event_type: CloudEvents ``type``; default is ``<source_conn_id>.<schema>.<table>.changed``. (templated)
    :param event_source: CloudEvents ``source``; default is ``/<source_conn_id>/<schema>.<table>``. (templated)
    :param on_truncate: what to do with TRUNCATE: ``fail`` before it, send an ``event`` with ``op: t`` to each partition
        of the topic, or ``skip`` it with a warning.
    :param on_schema_change: what to do when columns of a table change: ``evolve`` with one warning, or ``fail``.
    :param completeness: least completeness that is accepted. With ``exact`` a run fails at a place where the log lacks
        changes of rows, such as those of a column that was added with a default, until the table is read again.
    :param decimals: how decimals are written: ``string``, or ``number``, a JSON number with all digits unchanged
        wherever JSON can represent it.
    :param bigints: how integers are written: ``number``, or ``string`` for those beyond ±2^53.
    :param times: how times without a zone are written: ``rfc3339``, or ``naive``, as the database writes them.
    :param bytes: how binary values are written: ``base64``, or ``hex``. ``debezium`` and ``maxwell`` write all
        values as those programs do, and refuse this argument and the three before it.
    """

    template_fields: Collection[str] = (
        "tables",
        "slot",
        "publication",
        "key_columns",
        "exclude_columns",
        "message_topics",
        "transaction_topic",
        "event_type",
        "event_source",
        *BaseStreamOperator.template_fields,
    )
    log_name = __name__
    cleared = (
        "this task was cleared after it had delivered; nothing that it sent is sent again, it continues with new rows."
        ' To send tables as they are now, start a run with the configuration {"snapshot": ["schema.table"]}'
    )

    def __init__(  # noqa: PLR0913  the public signature
        self,
        *,
        tables: Sequence[str],
        slot: str | None = None,
        publication: str | None = None,
        key_columns: Mapping[str, Sequence[str]] | None = None,
        exclude_columns: Mapping[str, Sequence[str]] | None = None,
        first_run: str = "all",
        topic: str = "cdc.{schema}.{table}",
        images: str | None = None,
        tombstones: bool | None = None,
        message_topics: Mapping[str, str] | None = None,
        transaction_topic: str | None = None,
        event_type: str | None = None,
        event_source: str | None = None,
        on_truncate: str = "fail",
        on_schema_change: str = "evolve",
        completeness: str = "best_effort",
        decimals: str = "string",
        bigints: str = "number",
        times: str = "rfc3339",
        bytes: str = "base64",  # noqa: A002
        **kwargs: Any,
    ) -> None:
        _refuse_foreign(kwargs)
        super().__init__(topic=topic, **kwargs)
        self.tables = tables
        self.slot = slot
        self.publication = publication
        self.key_columns = key_columns
        self.exclude_columns = exclude_columns
        self.first_run = first_run
        self.images = images
        self.tombstones = tombstones
        self.message_topics = message_topics
        self.transaction_topic = transaction_topic
        self.event_type = event_type
        self.event_source = event_source
        self.on_truncate = on_truncate
        self.on_schema_change = on_schema_change
        self.completeness = completeness
        self.decimals = decimals
        self.bigints = bigints
        self.times = times
        self.bytes = bytes
        self.named_as_written: dict[str, Any] = {}
        if isinstance(self.envelope, str):
            find(LOG_ENVELOPES, self.envelope, "envelope")
        if self.envelope == MAXWELL or getattr(self.envelope, "binlog_only", False):
            _check_maxwell(on_truncate, images)
        self._complete()

    def _spec(self) -> ChangeLogSpec:
        dag = self.get_dag()
        dag_id, schedule = (None, None) if dag is None else (dag.dag_id, dag.schedule)
        named = isinstance(self.envelope, str)
        whole = self.envelope in WITH_OLD_ROWS if named else getattr(self.envelope, "images", "after") == "both"
        marks = self.envelope == MAXWELL if named else getattr(self.envelope, "marks_snapshots", False)
        return ChangeLogSpec.of(
            self,
            dag_id=dag_id,
            task_id=self.task_id,
            schedule=schedule,
            images=self.images or ("both" if whole else "after"),
            marks_snapshots=marks,
        )

    def _mode(self, context: Context, record: WindowRecord) -> RunMode:  # noqa: ARG002
        """See ``BaseStreamOperator``."""
        return decide_log(context)

    def _check(self, context: Context, stream: str) -> None:
        """See ``BaseStreamOperator``."""
        if slot_of(stream, self.source_conn_id) is None:
            refuse_shared_connection(context, self.named_as_written, stream)
        else:
            refuse_shared_slot(context, self.slot, self.named_as_written)

    def _do_render_template_fields(
        self, parent: Any, template_fields: Any, context: Context, jinja_env: Any, seen_oids: set[int]
    ) -> None:
        """Keep the name of the slot as written, by which map indexes are distinguished."""
        self.named_as_written = {name: getattr(self, name) for name in ("source_conn_id", "slot")}
        super()._do_render_template_fields(parent, template_fields, context, jinja_env, seen_oids)


_FOREIGN: Mapping[str, str] = {
    "on_clear": f"a change log can't be replayed: leave it out.\n{INSTEAD}",
    "replay_topic": f"a change log can't be replayed: leave it out.\n{INSTEAD}",
    "replay_topics": f"a change log can't be replayed: leave it out.\n{INSTEAD}",
    "table": "a log has several: give tables=['schema.table']",
    "sql": "a log holds the changes of tables: give tables=['schema.table'], or use IncrementalQueryOperator",
    "watermark_columns": "the log's own places are the watermark: leave it out, or use IncrementalQueryOperator",
    "columns": "name what must not leave the database with exclude_columns={'schema.table': ['column']}",
    "stream": "a log's stream is named by its slot: give slot=",
    "time_column": f"a change log can't be replayed: leave it out.\n{INSTEAD}",
    "timestamp_column": "the time of an event is that of its commit: leave it out",
    "subject": "the subject of an event is its key: leave it out, or give key_columns=",
    "row_security": "a log shows all rows, whatever a policy hides, so there is nothing to choose: leave it out",
    "lag": "a log is read in commit order and misses no late row: leave it out",
    "overlap": "a log is read in commit order and misses no late row: leave it out",
}
"""Arguments of the other operators, and what to do instead."""


def _check_maxwell(on_truncate: str, images: str | None) -> None:
    if on_truncate == "event":
        raise ConfigurationError(
            "on_truncate='event' has no effect with envelope='maxwell': use 'fail' or 'skip', since Maxwell has no"
            " message for TRUNCATE"
        )
    if images == "after":
        raise ConfigurationError(
            "images='after' does not fit envelope='maxwell': leave it out, since Maxwell's messages hold the old values"
            " of an update"
        )


def _refuse_foreign(given: Mapping[str, Any]) -> None:
    for name, remedy in _FOREIGN.items():
        if name in given:
            raise ConfigurationError(f"ChangeLogDrainOperator has no {name}=; {remedy}")
