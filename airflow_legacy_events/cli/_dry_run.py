"""Output of a dry run."""

from __future__ import annotations

from pathlib import Path

from airflow_legacy_events.streams.directory.dry_run import MOST_ROWS


def sentence(stream: str, verb: str, rows: int) -> str:
    """Return the sentence about `rows` that a command would leave to send."""
    found = f"more than {MOST_ROWS}" if rows > MOST_ROWS else str(rows)
    return f"stream {stream!r}: `{verb}` would leave {found} rows to send (before any lag); nothing was changed"


def query(text: str | None) -> str | None:
    """Return the query in `--sql`, given directly or in a file."""
    is_file = text is not None and text.endswith(".sql") and (len(text.split()) == 1 or Path(text).exists())
    return Path(text).read_text() if text and is_file else text
