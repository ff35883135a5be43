"""Representation (`repr`) of objects in a DAG file."""

from __future__ import annotations


def made_by(kind: type, **arguments: object) -> str:
    """Return the constructor call of an object, as Python writes it.

    Airflow stores an argument of `partial()` as text. A memory address in it would make a new DAG version with each
    parse.
    """
    return f"{kind.__qualname__}({', '.join(f'{name}={value!r}' for name, value in arguments.items())})"
