"""Registry of names for DAGs and connections; the object behind a name is imported on first use."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, cast

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import Envelope

DATABASES = {
    "generic": "airflow_legacy_events.databases.generic:GenericDatabase",
    "mysql": "airflow_legacy_events.databases.mysql:MysqlDatabase",
    "postgres": "airflow_legacy_events.databases.postgres:PostgresDatabase",
    "sqlite": "airflow_legacy_events.databases.sqlite:SqliteDatabase",
}
GENERIC = "generic"
"""The database of every connection type that is not named above."""

ABOUT = {name: f"{path.partition(':')[0]}.about:about" for name, path in DATABASES.items()}
"""The function that describes each database in a connection test, in the module `about` of its package."""

CONN_TYPE = "legacy_database"
"""Our own connection type, whose URL determines the database."""
BACKENDS = {
    "mariadb": "mysql",
    "mysql": "mysql",
    "postgres": "postgres",
    "postgresql": "postgres",
    "sqlite": "sqlite",
}
"""The database for each URL backend, behind a connection of our own type; all others are generic."""

TARGETS = {
    "generic": "airflow_legacy_events.databases.generic.target:GenericTarget",
    "mysql": "airflow_legacy_events.databases.mysql.target:MysqlTarget",
    "postgres": "airflow_legacy_events.databases.postgres.target:PostgresTarget",
    "sqlite": "airflow_legacy_events.databases.sqlite.target:SqliteTarget",
}
"""The target of each database; made with the connection's name and URL, a time limit of statements, and a log."""

BROKERS = {
    "kafka": "airflow_legacy_events.hooks.kafka:kafka_broker",
}
TOPIC_ENDS = {
    "kafka": "airflow_legacy_events.hooks.kafka:kafka_topic_ends",
}
TOPIC_TAILS = {
    "kafka": "airflow_legacy_events.hooks.kafka:kafka_topic_tail",
}
READERS = {
    "kafka": "airflow_legacy_events.hooks.kafka:kafka_reader",
}
DECODERS = {
    "cloudevents": "airflow_legacy_events.envelopes.decoders.cloudevents:CloudEventsDecoder",
    "debezium": "airflow_legacy_events.envelopes.decoders.debezium:DebeziumDecoder",
    "maxwell": "airflow_legacy_events.envelopes.decoders.maxwell:MaxwellDecoder",
    "plain": "airflow_legacy_events.envelopes.decoders.plain:PlainDecoder",
}
"""What a topic's messages are understood by, under the name of their envelope."""

ENVELOPES = {
    "cloudevents": "airflow_legacy_events.envelopes.cloudevents:CloudEventsEnvelope",
    "plain": "airflow_legacy_events.envelopes.plain:PlainEnvelope",
}
LOG_ENVELOPES = {
    **ENVELOPES,
    "debezium": "airflow_legacy_events.envelopes.debezium:DebeziumEnvelope",
    "maxwell": "airflow_legacy_events.envelopes.maxwell:MaxwellEnvelope",
}
"""Envelopes for the changes of a log."""

OUTBOX_ENVELOPES = {
    "cloudevents": "airflow_legacy_events.envelopes.outbox:OutboxCloudEvents",
    "payload": "airflow_legacy_events.envelopes.outbox:PayloadEnvelope",
}
"""Envelopes for the rows of an outbox; `payload` is the default."""

STORES = {
    "asset": "airflow_legacy_events.watermarks.asset:AssetWatermarkStore",
    "table": "airflow_legacy_events.watermarks.table:TableWatermarkStore",
    "variable": "airflow_legacy_events.watermarks.variable:VariableWatermarkStore",
    "xcom": "airflow_legacy_events.watermarks.xcom:XComWatermarkStore",
}

SPECS = {
    "log": "airflow_legacy_events.streams.specs.changelog:ChangeLogSpec",
    "outbox": "airflow_legacy_events.streams.specs.outbox:OutboxSpec",
    "query": "airflow_legacy_events.streams.specs.query:QuerySpec",
    "topic": "airflow_legacy_events.streams.specs.topic:TopicSpec",
}
"""The arguments of each source, under the name that its watermarks keep as `kind`."""

DEFAULT_ENVELOPE = "cloudevents"
DEFAULT_STORE = "variable"
DEFAULT_KIND = "query"
"""The kind of a watermark that does not name the source that wrote it."""


def resolve(path: str) -> Any:
    """Return the object that `module:name` names.

    Raises:
        ImportError: the module, or one that it needs, is missing.
    """
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


def find(known: Mapping[str, str], name: str, what: str) -> str:
    """Return the path behind `name`.

    Raises:
        ConfigurationError: it is unknown; the error lists the known names.
    """
    if name not in known:
        raise ConfigurationError(f"{what} {name!r} is not known; known: {', '.join(sorted(known))}")
    return known[name]


def make_envelope(envelope: str | Envelope, known: Mapping[str, str] = ENVELOPES) -> Envelope:
    """Return the envelope of a known name, or the object itself.

    Raises:
        ConfigurationError: the name is unknown, or the object is not an envelope.
    """
    if isinstance(envelope, str):
        return cast("Envelope", resolve(find(known, envelope, "envelope"))())
    if isinstance(envelope, type) or not isinstance(envelope, Envelope):
        raise missing_port("envelope", envelope, known, "the method compile(shape, stream)")
    return envelope


def missing_port(what: str, given: object, known: Mapping[str, str], methods: str) -> ConfigurationError:
    """Return the error for an object that lacks the methods of its port.

    Args:
        what: the argument that it was passed to.
        given: the object.
        known: names that are possible instead.
        methods: those that such an object must have.
    """
    found = f"the class {given.__qualname__} itself" if isinstance(given, type) else f"a {type(given).__qualname__}"
    return ConfigurationError(
        f"{what} must be one of {', '.join(sorted(known))}, or an object with {methods}; found {found}"
    )
