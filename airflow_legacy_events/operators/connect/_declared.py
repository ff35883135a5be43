"""Declared config of an upsert: rendered, and shown without its secrets."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from airflow.sdk import XComArg
from airflow.sdk.log import mask_secret

from airflow_legacy_events.connect import placeholders
from airflow_legacy_events.connect.config import read_config
from airflow_legacy_events.connect.secrets import secrets_of, shown
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.operators.connect._base import ConnectorOperator
from airflow_legacy_events.streams.naming import holds_template

_UNREADABLE = "no JSON object"


class DeclaredConfig(ConnectorOperator):
    """Base of an operator with ``config=``.

    Airflow stores what a template field holds after rendering. The field then holds what may be shown; the config
    itself is kept beside it.
    """

    config: Mapping[str, Any] | str
    _rendered: Any = None

    def _check_config(self) -> None:
        """Check the config as far as it is known before rendering.

        Raises:
            ConfigurationError: it can't be one.
        """
        given = self.config
        if isinstance(given, (str, XComArg)):
            return
        if not isinstance(given, Mapping) or not (_holds_template(given) or holds_template(self.connector)):
            read_config(given, self.connector)

    def _declared(self) -> dict[str, str]:
        """Return the rendered config as the texts that Kafka Connect keeps, with what it takes from connections.

        Raises:
            ConfigurationError: it can't be one, or a connection lacks what is taken from it.
        """
        declared = self._as_written()
        if placeholders.connections(declared):
            from airflow_legacy_events.hooks.connect_values import filled  # noqa: PLC0415  loads SQLAlchemy

            declared = {key: str(value) for key, value in filled(declared).items()}
        hide(secrets_of(declared))
        return declared

    def _as_written(self) -> dict[str, str]:
        """Return the rendered config with its placeholders.

        Raises:
            ConfigurationError: it can't be one.
        """
        return read_config(self.config if self._rendered is None else self._rendered, self.connector)

    def _show(self, passwords: Collection[str]) -> None:
        """Hide what the plugin declares as passwords in the rendered template, too.

        Airflow stores that once more after the task, if this is requested.
        """
        if isinstance(self.config, Mapping):
            self.config = {key: _masked(key, value, passwords) for key, value in self.config.items()}
            self.overwrite_rtif_after_execution = True

    def _do_render_template_fields(
        self, parent: Any, template_fields: Iterable[str], context: Any, jinja_env: Any, seen_oids: set[int]
    ) -> None:
        """Keep the rendered config, and leave in its field what may be shown."""
        if parent is self and self._rendered is not None:
            self.config = self._rendered
        super()._do_render_template_fields(parent, template_fields, context, jinja_env, seen_oids)
        if parent is self:
            self._rendered = self.config
            self.config = _shown(self.config, self.connector)


def hide(secrets: Collection[str]) -> None:
    """Let Airflow mask texts in logs."""
    for one in secrets:
        mask_secret(one)


def _shown(config: Any, connector: str) -> Any:
    try:
        found = read_config(config, connector)
    except ConfigurationError:
        if not isinstance(config, Mapping):
            return _UNREADABLE
        found = {str(key): str(value) for key, value in config.items() if value is not None}
    hide(secrets_of(found))
    return {key: shown(key, value) for key, value in found.items()}


def _masked(key: str, value: Any, passwords: Collection[str]) -> Any:
    return shown(key, value, passwords) if isinstance(value, str) else value


def _holds_template(config: Mapping[str, Any]) -> bool:
    return any(isinstance(part, str) and holds_template(part) for pair in config.items() for part in pair)
