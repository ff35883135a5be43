"""Registry of names that a DAG or a connection may use; what is behind a name is imported on first use."""

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
"""What each says of itself when its connection is tested, in the module `about` of its package."""

CONN_TYPE = "legacy_database"
"""The connection type of our own, whose URL says which database it leads to."""
BACKENDS = {
    "mariadb": "mysql",
    "mysql": "mysql",
    "postgres": "postgres",
    "postgresql": "postgres",
    "sqlite": "sqlite",
}
"""Which database reads a URL of that backend, behind a connection of our own type; all others are generic."""

BROKERS = {
    "kafka": "airflow_legacy_events.hooks.kafka:kafka_broker",
}
ENVELOPES = {
    "cloudevents": "airflow_legacy_events.envelopes.cloudevents:CloudEventsEnvelope",
    "plain": "airflow_legacy_events.envelopes.plain:PlainEnvelope",
}
OUTBOX_ENVELOPES = {
    "cloudevents": "airflow_legacy_events.envelopes.outbox:OutboxCloudEvents",
    "payload": "airflow_legacy_events.envelopes.outbox:PayloadEnvelope",
}
"""What makes messages of the rows of an outbox; `payload` is the default."""

STORES = {
    "asset": "airflow_legacy_events.watermarks.asset:AssetWatermarkStore",
    "table": "airflow_legacy_events.watermarks.table:TableWatermarkStore",
    "variable": "airflow_legacy_events.watermarks.variable:VariableWatermarkStore",
    "xcom": "airflow_legacy_events.watermarks.xcom:XComWatermarkStore",
}

SPECS = {
    "outbox": "airflow_legacy_events.streams.specs.outbox:OutboxSpec",
    "query": "airflow_legacy_events.streams.specs.query:QuerySpec",
}
"""The arguments of each source, under the name that its watermarks keep as `kind`."""

DEFAULT_ENVELOPE = "cloudevents"
DEFAULT_STORE = "variable"
DEFAULT_KIND = "query"
"""Of a watermark that does not say which source wrote it."""


def resolve(path: str) -> Any:
    """Return what `module:name` names.

    Raises:
        ImportError: the module, or one that it needs, is not there.
    """
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


def find(known: Mapping[str, str], name: str, what: str) -> str:
    """Return the path behind `name`.

    Raises:
        ConfigurationError: it is not known; the error names those that are.
    """
    if name not in known:
        raise ConfigurationError(f"{what} {name!r} is not known; known: {', '.join(sorted(known))}")
    return known[name]


def make_envelope(envelope: str | Envelope) -> Envelope:
    """Return the envelope of that name, or the object itself.

    Raises:
        ConfigurationError: the name is not known, or the object is no envelope.
    """
    if isinstance(envelope, str):
        return cast("Envelope", resolve(find(ENVELOPES, envelope, "envelope"))())
    if isinstance(envelope, type) or not isinstance(envelope, Envelope):
        raise missing_port("envelope", envelope, ENVELOPES, "the method compile(shape, stream)")
    return envelope


def missing_port(what: str, given: object, known: Mapping[str, str], methods: str) -> ConfigurationError:
    """Return the error for an object that lacks the methods of its port.

    Args:
        what: the argument that it was given to.
        given: the object.
        known: names that are possible instead.
        methods: that such an object must have.
    """
    found = f"the class {given.__qualname__} itself" if isinstance(given, type) else f"a {type(given).__qualname__}"
    return ConfigurationError(
        f"{what} must be one of {', '.join(sorted(known))}, or an object with {methods}; found {found}"
    )
