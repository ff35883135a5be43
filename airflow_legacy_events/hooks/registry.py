"""Names that a DAG or a connection may use, and the classes behind them; nothing is imported before it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, cast

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import Envelope, WatermarkStore
from airflow_legacy_events.hooks import stores

DATABASES = {
    "generic": "airflow_legacy_events.databases.generic:GenericDatabase",
    "mysql": "airflow_legacy_events.databases.mysql:MysqlDatabase",
    "postgres": "airflow_legacy_events.databases.postgres:PostgresDatabase",
    "sqlite": "airflow_legacy_events.databases.sqlite:SqliteDatabase",
}
GENERIC = "generic"
"""The database of every connection type that is not named above."""

BROKERS = {
    "kafka": "airflow_legacy_events.brokers.kafka:KafkaBroker",
}
ENVELOPES = {
    "cloudevents": "airflow_legacy_events.envelopes.cloudevents:CloudEventsEnvelope",
    "plain": "airflow_legacy_events.envelopes.plain:PlainEnvelope",
}
STORES = {
    "asset": "airflow_legacy_events.watermarks.asset:AssetWatermarkStore",
    "table": "airflow_legacy_events.watermarks.table:TableWatermarkStore",
    "variable": "airflow_legacy_events.watermarks.variable:VariableWatermarkStore",
    "xcom": "airflow_legacy_events.watermarks.xcom:XComWatermarkStore",
}

DEFAULT_ENVELOPE = "cloudevents"
DEFAULT_STORE = "variable"


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


def make_envelope(asked: str | Envelope) -> Envelope:
    """Return the envelope that `envelope=` asks for, by name or as an object.

    Raises:
        ConfigurationError: the name is not known, or the object is no envelope.
    """
    if isinstance(asked, str):
        return cast("Envelope", resolve(find(ENVELOPES, asked, "envelope"))())
    if isinstance(asked, type) or not isinstance(asked, Envelope):
        raise _no_port("envelope", asked, ENVELOPES, "the method compile(shape, stream)")
    return asked


def make_store(asked: str | WatermarkStore | None, context: stores.Context = None) -> tuple[str, WatermarkStore]:
    """Return the store that `watermark_store=` asks for, and the name under which streams are registered.

    An object is registered under its class's dotted name, so a stream does not move between stores unnoticed; a table
    under its connection.

    Args:
        asked: a name; `table:<conn_id>` is a table over that connection.
        context: of the task that works; on a server of the deployment the stream's owner.

    Raises:
        ConfigurationError: the name is not known, or the object is no store.
    """
    if asked is None or isinstance(asked, str):
        name, _, detail = (asked or DEFAULT_STORE).partition(":")
        made = resolve(find(STORES, name, "watermark_store"))
        store = made(*stores.arguments(name, detail, context))
        return getattr(store, "name", name), cast("WatermarkStore", store)
    if isinstance(asked, type) or not isinstance(asked, WatermarkStore):
        raise _no_port(
            "watermark_store",
            asked,
            STORES,
            "the methods load(stream), save(stream, new, *, expected) and forget(stream)",
        )
    return f"{type(asked).__module__}.{type(asked).__qualname__}", asked


def _no_port(what: str, asked: object, known: Mapping[str, str], methods: str) -> ConfigurationError:
    found = f"the class {asked.__qualname__} itself" if isinstance(asked, type) else f"a {type(asked).__qualname__}"
    return ConfigurationError(
        f"{what} must be one of {', '.join(sorted(known))}, or an object with {methods}; found {found}"
    )
