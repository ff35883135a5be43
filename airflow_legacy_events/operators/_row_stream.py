"""Shared arguments of the operators that build messages from the columns of a row."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from airflow_legacy_events.operators._stream import StreamOperator
from airflow_legacy_events.streams import arguments, messages

ON_CLEAR = ("resume", "repeat")


class RowStreamOperator(StreamOperator):
    """Base of the operators with named streams whose rows become messages column by column.

    A subclass follows the contract of ``StreamOperator``.

    :param stream: name under which the watermark is kept; default is ``<source_conn_id>.<table>@<topic>``, for ``sql``
        ``<source_conn_id>.<dag_id>.<task_id>@<topic>``. (templated)
    :param on_clear: what a task does when it is cleared after a success: ``resume`` the live stream, or ``repeat``,
        which sends the same window again (Airflow 3.3).
    :param decimals: how decimals are written: ``string``, or ``number``, a JSON number with all digits unchanged
        wherever JSON can represent it.
    :param bigints: how integers are written: ``number``, or ``string`` for those beyond ±2^53.
    :param times: how times without a zone are written: ``rfc3339``, or ``naive``, as the database writes them.
    :param bytes: how binary values are written: ``base64``, or ``hex``.
    :param event_type: CloudEvents ``type``; ``{column}`` stands for that column's text. Default is
        ``<source_conn_id>.<table>.changed``. (templated)
    :param event_source: CloudEvents ``source``; takes ``{column}`` too. Default is ``/<source_conn_id>/<table>``.
        (templated)
    :param subject: CloudEvents ``subject``; takes ``{column}`` too. Default is the key. (templated)
    :param timestamp_column: a date or time column used as the message timestamp, in milliseconds. The time of sending
        is used by default and where the column is NULL. (templated)
    """

    template_fields: Collection[str] = ("stream", *messages.FIELDS, *StreamOperator.template_fields)

    def __init__(  # noqa: PLR0913  the public signature
        self,
        *,
        stream: str | None = None,
        on_clear: str = "resume",
        decimals: str = "string",
        bigints: str = "number",
        times: str = "rfc3339",
        bytes: str = "base64",  # noqa: A002
        event_type: str | None = None,
        event_source: str | None = None,
        subject: str | None = None,
        timestamp_column: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.stream = stream
        self.on_clear = on_clear
        self.decimals = decimals
        self.bigints = bigints
        self.times = times
        self.bytes = bytes
        self.event_type = event_type
        self.event_source = event_source
        self.subject = subject
        self.timestamp_column = timestamp_column

    @property
    def _repeats(self) -> bool:
        return self.on_clear == "repeat"

    def _complete(self) -> None:
        """See ``StreamOperator``."""
        arguments.choice("on_clear", self.on_clear, ON_CLEAR)
        super()._complete()
