"""JSON schemas of payloads, by event type."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airflow_legacy_events.core.errors import ConfigurationError

_ANY = "*"


class PayloadSchemas:
    """Checks payloads against the schema of their event type.

    Args:
        schemas: by event type; `*` is for all others. Each is a schema, or the name of a file with one.

    Raises:
        ConfigurationError: a schema is missing or invalid, or the library is not installed.
    """

    def __init__(self, schemas: Mapping[str, Any]) -> None:
        try:
            from jsonschema import validators  # noqa: PLC0415  an extra
            from jsonschema.exceptions import SchemaError  # noqa: PLC0415
            from referencing.exceptions import Unresolvable  # noqa: PLC0415  what jsonschema raises
        except ImportError as error:
            raise ConfigurationError(
                "json_schema= needs a library that is not installed. Install it where the tasks run: pip install"
                " 'airflow-legacy-events[jsonschema]'"
            ) from error
        self._unresolvable = Unresolvable
        self._by_type: dict[str, Any] = {}
        for type_, given in schemas.items():
            schema = _loaded(type_, given)
            checks = validators.validator_for(schema)
            try:
                checks.check_schema(schema)
            except SchemaError as error:
                raise ConfigurationError(f"json_schema[{type_!r}] is not a JSON schema: {error.message}") from error
            self._by_type[type_] = checks(schema)

    def fault(self, type_: str | None, payload: str | bytes) -> str | None:
        """Return the fault of a payload, without its values; None if it is valid.

        Args:
            type_: its event type; None: it has none.
            payload: JSON.

        Raises:
            ConfigurationError: a `$ref` of the schema can't be resolved.
        """
        checks = self._by_type.get(type_ or _ANY) or self._by_type.get(_ANY)
        if checks is None:
            return None
        try:
            error = next(checks.iter_errors(json.loads(payload)), None)
        except self._unresolvable as fault:
            raise ConfigurationError(
                f"a schema in json_schema= has a $ref to {fault.ref!r}, which is not in it. Put what it refers to into"
                " the same schema, under $defs"
            ) from None
        except ArithmeticError:
            return "the payload holds a number that is too large to be checked"
        except ValueError:
            return "the payload is not JSON"
        except RecursionError:
            return "the payload is nested too deeply to be checked"
        return None if error is None else f"at {_place(error)} the schema's {error.validator!r} is not met"


def _place(error: Any) -> str:
    """Return the place of an error; names that are not in the schema are hidden, since they are row content."""
    known = set(error.absolute_schema_path)
    names = (
        f"[{part}]" if isinstance(part, int) else f".{part if part in known else '*'}" for part in error.absolute_path
    )
    return "".join(("$", *names))


def _loaded(type_: str, given: Any) -> Any:
    if isinstance(given, (Mapping, bool)):
        return given
    try:
        return json.loads(Path(given).read_text(encoding="utf-8"))
    except (OSError, TypeError, ValueError) as error:
        raise ConfigurationError(
            f"json_schema[{type_!r}] is {given!r}, which is neither a schema nor a file with one: {error}"
        ) from error
