"""Maxwell's envelope: a row with where it stands in the log, and what an update replaced."""

from __future__ import annotations

from collections.abc import Callable

from airflow_legacy_events.core.columns import Shape
from airflow_legacy_events.core.errors import ConfigurationError, EnvelopeError
from airflow_legacy_events.core.made import made_by
from airflow_legacy_events.core.model import Batch, Messages, Stream
from airflow_legacy_events.envelopes.ignored import first_ignored
from airflow_legacy_events.envelopes.maxwell.encoder import Encoder

_PRODUCTS = ("mariadb", "mysql")


class MaxwellEnvelope:
    """Every change of MariaDB and MySQL as Maxwell's daemon sends it, with all its optional members but `schema_id`.

    Members and the values of each type are those of Maxwell 1 with `output_binlog_position`, `output_gtid_position`,
    `output_commit_info`, `output_xoffset`, `output_server_id`, `output_thread_id`, `output_primary_keys` and
    `output_primary_key_columns`; the key is that of `kafka_key_format=hash`. The messages have no event id.

    `bootstrap-start` and `bootstrap-complete` stand around the rows of a table's snapshot, on each partition of its
    topic. A deleted row is a message of type `delete`; with `tombstones=True` a tombstone follows. There is no message
    for TRUNCATE.
    """

    images = "both"
    """The default of the operator's `images=` with this envelope."""

    marks_snapshots = True
    """Whether the source marks the beginning and the end of each table's snapshot."""

    binlog_only = True
    """Whether a log of another product than MariaDB and MySQL is refused."""

    def __repr__(self) -> str:
        """See `core.made.made_by`."""
        return made_by(type(self))

    def compile(self, shape: Shape, stream: Stream) -> Callable[[Batch], Messages]:
        """See `core.ports.Envelope`.

        Raises:
            EnvelopeError: the rows are not those of a binlog, a column is not supported, or names collide.
            ConfigurationError: an argument of the operator has no effect with this envelope.
        """
        if shape.table is None or stream.product not in _PRODUCTS:
            raise EnvelopeError(
                "MaxwellEnvelope is for ChangeLogDrainOperator on MariaDB and MySQL; use envelope='cloudevents' here."
                " Its messages are changes of a binlog, which these rows are not"
            )
        _refuse_ignored(stream)
        if not shape.key and not shape.data:
            raise EnvelopeError(
                "use another envelope: Maxwell has no message for TRUNCATE, and rows are gone; nothing behind it was"
                " sent"
            )
        if shape.data and not shape.before:
            raise ConfigurationError(
                "leave images= out with MaxwellEnvelope, or set images='both': its messages hold the old values of an"
                " update"
            )
        return Encoder(shape, stream).encode


def _refuse_ignored(stream: Stream) -> None:
    if (given := first_ignored(stream)) is not None:
        raise ConfigurationError(
            f"{given}= has no effect with MaxwellEnvelope, which writes values and attributes as Maxwell does; leave"
            " it out"
        )
