"""Outbox operator: drains an outbox table to the topics that its rows name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import Envelope
from airflow_legacy_events.hooks.registry import OUTBOX_ENVELOPES, find
from airflow_legacy_events.operators._stream import StreamOperator
from airflow_legacy_events.streams import arguments
from airflow_legacy_events.streams.naming import holds_template
from airflow_legacy_events.streams.specs.outbox import OutboxSpec

ON_REJECT = ("fail", "dead_letter")


class OutboxDrainOperator(StreamOperator):
    """Publishes the open rows of an outbox table, then deletes or marks exactly those that were acknowledged.

    With ``after_publish="keep"`` rows stay as they are, and the drain reads by position, below a horizon.

    The application inserts a row in the transaction that changes its state, so event and state commit together. A run
    is one pass over the rows that are open when it begins; no row is lost, regardless of commit order. Rows of one
    aggregate keep their order. A table has one drain: the stream is ``<source_conn_id>.<table>@outbox`` for any topic,
    and its lock is the table's.

    ``headers`` takes roles as well as columns: ``{"eventType": "{event_type}", "tenant": "{tenant}"}``. The row's id is
    always sent as the header ``id``.

    The arguments below are this operator's own; see ``BaseStreamOperator`` and ``StreamOperator`` for
    the others.

    :param table: ``table`` or ``schema.table``. (templated)
    :param layout: preset that maps roles to columns: ``debezium`` is ``id``, ``aggregatetype``, ``aggregateid``,
        ``type``, ``payload``, and ``created_at`` if it exists. (templated)
    :param columns: overrides of single roles in the layout, by column name or None for no column: ``{"event_type":
        "kind", "timestamp": None}``. Roles are ``id``, ``aggregate_type``, ``aggregate_id``, ``event_type``,
        ``payload``, ``headers`` (a JSON object of texts), ``timestamp`` (also the message's) and ``partition``.
        (templated)
    :param order_columns: order in which rows are read; default is an integer id, else timestamp and id. With ``keep``
        it is timestamp and id where there is a timestamp, else the id. (templated)
    :param after_publish: ``delete`` published rows, ``mark`` them, or ``keep`` them as they are. ``keep`` needs no
        right to write. It reads above the watermark, and only what no open transaction can still change; completeness
        is at most ``bounded``, and a row that can't be sent ends the run.
    :param mark_column: a time that is NULL in open rows, or a boolean that is false or NULL in them; with
        ``mark_values``, an integer or text. (templated)
    :param mark_values: values of ``mark_column`` in an open row and in a published row: ``(0, 2)``. (templated)
    :param where: SQL condition that selects this drain's rows, such as ``available_at <= now()``; other rows are not
        touched. (templated)
    :param topic: topic that messages are sent to; ``{aggregate_type}``, another role, or a column in braces stands for
        the row's value. (templated)
    :param allowed_topics: names, or patterns with ``*``, of the topics that rows may name. Required with
        ``topic_partitions``, so that no row can create an arbitrary topic. (templated)
    :param envelope: default is the payload byte for byte, with NULL as a tombstone; ``cloudevents`` carries it as
        ``data``; or an object that implements the port ``Envelope``.
    :param on_reject: what happens to a row that can't be sent. ``dead_letter`` applies if and only if
        ``dead_letter_topic`` is set. With ``fail``, the row and later rows of its aggregate stay in the table, the
        others are sent, and the task fails at its end; with ``keep`` the task fails at that batch.
    :param json_schema: JSON Schemas of payloads by event type, ``"*"`` for every other type; each is a schema or the
        name of a file with one. Requires the extra ``jsonschema``. (templated)
    :param retention: age at which marked rows are deleted, behind the drain and within ``max_seconds``; with ``keep``
        rows below the watermark, by their timestamp.
    """

    template_fields: Collection[str] = (
        "table",
        "layout",
        "columns",
        "order_columns",
        "mark_column",
        "mark_values",
        "where",
        "allowed_topics",
        "json_schema",
        *StreamOperator.template_fields,
    )
    log_name = __name__

    def __init__(  # noqa: PLR0913  the public signature
        self,
        *,
        table: str,
        layout: str = "debezium",
        columns: Mapping[str, str | None] | None = None,
        order_columns: Sequence[str] | None = None,
        after_publish: str = "delete",
        mark_column: str = "published_at",
        mark_values: Sequence[Any] | None = None,
        where: str | None = None,
        topic: str = "outbox.event.{aggregate_type}",
        allowed_topics: Sequence[str] | None = None,
        envelope: str | Envelope | None = None,
        on_reject: str | None = None,
        json_schema: Mapping[str, Any] | None = None,
        retention: dt.timedelta | None = None,
        batch_rows: int = 5_000,
        **kwargs: Any,
    ) -> None:
        super().__init__(topic=topic, envelope=envelope, batch_rows=batch_rows, **kwargs)
        self.table = table
        self.layout = layout
        self.columns = columns
        self.order_columns = order_columns
        self.after_publish = after_publish
        self.mark_column = mark_column
        self.mark_values = mark_values
        self.where = where
        self.allowed_topics = allowed_topics
        self.on_reject = on_reject
        self.json_schema = json_schema
        self.retention = retention
        if isinstance(envelope, str):
            find(OUTBOX_ENVELOPES, envelope, "envelope")
        self._check_rejects()
        self._complete()
        if "id" in (self.headers or ()):
            raise ConfigurationError("headers= names 'id', which every message has already: the id of its row")

    def _check_rejects(self) -> None:
        if self.on_reject is not None:
            arguments.choice("on_reject", self.on_reject, ON_REJECT)
        if self.on_reject is not None and (self.on_reject == "dead_letter") != (self.dead_letter_topic is not None):
            raise ConfigurationError(
                f"on_reject={self.on_reject!r} was given"
                f" {'without' if self.dead_letter_topic is None else 'beside'} dead_letter_topic=; rows that can't be"
                " sent go there exactly where it is set: give both with 'dead_letter', or neither"
            )

    def _check_topics(self) -> None:
        routed = not holds_template(self.topic) and "{" in self.topic
        if routed and self.topic_partitions is not None and self.allowed_topics is None:
            raise ConfigurationError(
                "topic_partitions= creates missing topics, and the rows name them: give allowed_topics=[...], names or"
                " patterns such as 'outbox.event.*', so that no row can invent a topic"
            )

    def _spec(self) -> OutboxSpec:
        self._check_topics()
        return OutboxSpec.of(self)
