"""Files of a task in any storage that Airflow reaches."""

from __future__ import annotations

from typing import Any

from airflow.sdk import ObjectStoragePath

from airflow_legacy_events.core.errors import ConfigurationError


def path_of(argument: str, given: Any) -> ObjectStoragePath:
    """Return the path of a file.

    Args:
        argument: name of the argument, for the error.
        given: a path, or its text with or without a scheme.

    Raises:
        ConfigurationError: it is none.
    """
    if isinstance(given, ObjectStoragePath):
        return given
    if not isinstance(given, str) or not given:
        raise ConfigurationError(f"{argument}= must be the path of a file, such as 's3://backups/crm.json'; found none")
    return ObjectStoragePath(given)


def write_text(argument: str, path: ObjectStoragePath, text: str) -> None:
    """Write a file as a whole; missing folders are made.

    Raises:
        ConfigurationError: it can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    except OSError as error:
        raise ConfigurationError(
            f"{argument}= names {str(path)!r}, which can't be written: {error.strerror or type(error).__name__}"
        ) from None


def read_text(argument: str, path: ObjectStoragePath) -> str:
    """Return the text of a file.

    Raises:
        ConfigurationError: there is none.
    """
    try:
        return str(path.read_text())
    except FileNotFoundError:
        raise ConfigurationError(f"{argument}= names {str(path)!r}, and there is no such file") from None
