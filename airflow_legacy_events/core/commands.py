"""Command lines named in error messages."""

from __future__ import annotations

import shlex


def command(verb: str, argument: str, *more: str) -> str:
    """Return `airflow legacy-events watermark <verb> <argument> ...`, quoted for a shell and for the reader."""
    return f"`{' '.join(['airflow legacy-events watermark', verb, shlex.quote(argument), *more])}`"
