"""How objects that a DAG file holds show themselves."""

from __future__ import annotations


def made_by(kind: type, **arguments: object) -> str:
    """Return the call that makes an object, as Python writes it.

    Airflow keeps an argument of `partial()` as its text. An address in it would make a new version of the DAG with
    each parse.
    """
    return f"{kind.__qualname__}({', '.join(f'{name}={value!r}' for name, value in arguments.items())})"
