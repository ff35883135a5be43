"""Debezium's envelope: `before` and `after`, where a change comes from, and tombstones."""

from __future__ import annotations

from collections.abc import Callable

from airflow_legacy_events.core.columns import Shape
from airflow_legacy_events.core.errors import ConfigurationError, EnvelopeError
from airflow_legacy_events.core.made import made_by
from airflow_legacy_events.core.model import Batch, Messages, Stream
from airflow_legacy_events.envelopes.debezium.encoder import Encoder
from airflow_legacy_events.envelopes.ignored import first_ignored

DECIMALS = ("precise", "string")
"""Debezium's `decimal.handling.mode`, without the one that rounds."""


class DebeziumEnvelope:
    """Every change as Debezium's connector for the database sends it through the JSON converter without schemas.

    Key, members, headers and the values of each type are those of Debezium 3 with its default settings. A deleted row
    is followed by a tombstone, unless the stream has `tombstones=False`. The messages have no event id.

    `source` lacks what the log does not name. On PostgreSQL `lsn` is the place of the commit, equal in all changes of a
    transaction; `xmin`, `origin` and `origin_lsn` are null, and so is `txId` in snapshots. On MariaDB and MySQL `query`
    is null, and so is the `srid` of a geometry. `transaction` is null. A row of a snapshot says `"snapshot":"true"`,
    also the first and the last one.

    Args:
        decimals: `precise`, the unscaled number as bytes in base64, or `string`, the digits. `precise` can't hold NaN
            and infinities, which are an error then.
        name: logical name of the server in `source`, Debezium's `topic.prefix`; default is the name of the connection.
    """

    images = "both"
    """The default of the operator's `images=` with this envelope."""

    def __init__(self, *, decimals: str = "precise", name: str | None = None) -> None:
        if decimals not in DECIMALS:
            raise ConfigurationError(
                f"DebeziumEnvelope(decimals=) must be one of {', '.join(map(repr, DECIMALS))}; found {decimals!r}"
            )
        self._decimals, self._name = decimals, name

    def __repr__(self) -> str:
        """See `core.made.made_by`."""
        return made_by(type(self), decimals=self._decimals, name=self._name)

    def compile(self, shape: Shape, stream: Stream) -> Callable[[Batch], Messages]:
        """See `core.ports.Envelope`.

        Raises:
            EnvelopeError: the rows are not those of a change log, a column is not supported, or names collide.
            ConfigurationError: an argument of the operator has no effect with this envelope.
        """
        if shape.table is None:
            raise EnvelopeError(
                "DebeziumEnvelope is for ChangeLogDrainOperator; use envelope='cloudevents' or 'plain' here. Its"
                " messages are changes of a log, which these rows are not"
            )
        _refuse_ignored(stream)
        name = self._name or _connection(shape, stream)
        return Encoder(shape, stream, name, precise=self._decimals == "precise").encode


def _connection(shape: Shape, stream: Stream) -> str:
    """Return the name of the connection; that of a slot or of a task follows it in the stream's name."""
    ending = f".{shape.table}.changed"
    if stream.type.endswith(ending):
        return stream.type.removesuffix(ending)
    return stream.name.removesuffix("@log").rpartition(".")[0]


def _refuse_ignored(stream: Stream) -> None:
    if (given := first_ignored(stream)) is not None:
        raise ConfigurationError(
            f"{given}= has no effect with DebeziumEnvelope, which writes values and attributes as Debezium does;"
            " leave it out.\nFor decimals as texts use envelope=DebeziumEnvelope(decimals='string')"
        )
