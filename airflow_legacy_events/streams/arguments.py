"""Argument checks before a run: wrong arguments stop the DAG from being loaded."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from jinja2 import TemplateNotFound

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.zones import OF_DATABASE, zone_named
from airflow_legacy_events.streams.naming import holds_template

_SMALLEST_BYTES = 1024


def one_of(names: tuple[str, str], values: tuple[Any, Any]) -> None:
    """Require exactly one of two arguments."""
    if (values[0] is None) == (values[1] is None):
        found = "neither" if values[0] is None else "both"
        raise ConfigurationError(f"exactly one of {names[0]}= and {names[1]}= must be given; found {found}")


def choice(name: str, value: Any, known: Sequence[str]) -> None:
    """Require one of the known words."""
    if value not in known:
        raise ConfigurationError(f"{name}= must be one of {', '.join(map(repr, known))}; found {value!r}")


def span(name: str, value: Any, *, zero: bool) -> None:
    """Require a timedelta above zero, or from zero on."""
    if not isinstance(value, dt.timedelta):
        raise ConfigurationError(f"{name}= must be a timedelta; found {value!r}")
    if value < dt.timedelta(0) or (not zero and not value):
        raise ConfigurationError(f"{name}= must {'not be below' if zero else 'be above'} zero; found {value}")


def limits(batch_rows: Any, max_rows: Any, max_seconds: Any, rows_per_second: Any) -> Limits:
    """Return the budgets of a run."""
    whole(batch_rows=batch_rows, max_rows=max_rows)
    for name, value in (("max_seconds", max_seconds), ("rows_per_second", rows_per_second)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
            raise ConfigurationError(f"{name}= must be a number; found {value!r}")
    return Limits(batch_rows, max_rows, max_seconds, rows_per_second)


def whole(**values: Any) -> None:
    """Require whole numbers above zero, unless None."""
    for name, value in values.items():
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
            raise ConfigurationError(f"{name}= must be a whole number above 0; found {value!r}")


def size(name: str, value: Any) -> None:
    """Require a number of bytes that can hold a row at all."""
    if isinstance(value, bool) or not isinstance(value, int) or value < _SMALLEST_BYTES:
        raise ConfigurationError(f"{name}= must be a whole number of bytes, {_SMALLEST_BYTES} or more; found {value!r}")


def timezone(name: str, value: Any, *, of_database: bool = False) -> None:
    """Require the name of a time zone, unless it is None or still a template; `database` where that is allowed."""
    if value is None or holds_template(value) or (of_database and value == OF_DATABASE):
        return
    try:
        zone_named(value)
    except ValueError:
        also = f", or {OF_DATABASE!r}" if of_database else ""
        raise ConfigurationError(
            f"{name}= must be the name of a time zone such as 'Europe/Vienna', an offset such as '+05:30'{also}; found"
            f" {value!r}"
        ) from None


def no_bare_text(**values: Any) -> None:
    """Refuse a text in place of a list of names: it would be iterated letter by letter."""
    for name, value in values.items():
        if isinstance(value, str) and not holds_template(value):
            raise ConfigurationError(f"{name}= must be a list of column names, such as [{value!r}]; found {value!r}")


def refuse_templates(**values: Any) -> None:
    """Refuse texts that are still templates and would never be rendered."""
    for name, value in values.items():
        if value is not None and holds_template(value):
            raise ConfigurationError(
                f"{name}={value!r} is a template, but a trigger's arguments are not rendered: write the value, or use"
                " the sensor"
            )


def no_repeat_of_bulk(on_clear: str, watermark_columns: Any) -> None:
    """Refuse to repeat the window of a full load: every run sends all rows."""
    if on_clear == "repeat" and watermark_columns == []:
        raise ConfigurationError(
            "on_clear='repeat' has no effect with watermark_columns=[]: every run sends the whole table; leave it out"
        )


def only_with(name: str, value: Any, needed: str, condition: Any) -> None:
    """Refuse an argument that would have no effect."""
    if value is not None and condition is None:
        raise ConfigurationError(f"{name}= has no effect without {needed}=; give both or neither")


def names(name: str, value: Any) -> tuple[str, ...]:
    """Return a rendered list of column names as a tuple.

    Raises:
        ConfigurationError: it is something else.
    """
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(one, str) for one in value):
        raise ConfigurationError(f"{name}= must be a list of column names; found {value!r}")
    return tuple(value)


def topics(name: str, value: Any) -> tuple[str, ...]:
    """Return a rendered list of topics as a tuple.

    Raises:
        ConfigurationError: it is something else.
    """
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(one and type(one) is str for one in value):
        raise ConfigurationError(f"{name}= must be a list of names of topics; found {value!r}")
    return tuple(value)


def as_written(text: Any, ending: str, jinja_env: Any) -> Any:
    """Return a template before rendering, or the content of its file; anything other than a text is returned unchanged.

    A query may end like a file name, as in `SELECT * FROM dbo.sql`: text with blanks that names no file is a query.

    Args:
        text: of the argument.
        ending: suffix of file names.
        jinja_env: finds the files.

    Raises:
        jinja2.TemplateNotFound: there is no such file.
    """
    if not isinstance(text, str) or not text.endswith(ending):
        return text
    try:
        return str(jinja_env.loader.get_source(jinja_env, text)[0])
    except (TemplateNotFound, OSError):  # a text is longer than a file name may be
        if len(text.split()) > 1:
            return text
        raise
