"""The command lines that errors name."""

from __future__ import annotations

import shlex


def command(verb: str, stream: str, *more: str) -> str:
    """Return `airflow legacy-events watermark <verb> <stream> ...`, quoted for a shell and for the reader."""
    return f"`{' '.join(['airflow legacy-events watermark', verb, shlex.quote(stream), *more])}`"
