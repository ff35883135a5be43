"""`airflow legacy-events watermark rewind`: backward only, by an amount or to a value."""

from __future__ import annotations

import datetime as dt
import re
from argparse import Namespace
from decimal import Decimal, InvalidOperation
from typing import TypeAlias

from airflow_legacy_events.cli._command import command, flat, named, say, show, signed
from airflow_legacy_events.cli._dry_run import tell
from airflow_legacy_events.cli._streams import locked, readable, store_of
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import Watermark

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_AMOUNT = re.compile(r"(\d+)([smhdw])")

Place: TypeAlias = Decimal | dt.datetime


@command
def watermark_rewind(args: Namespace) -> None:
    """Move a stream's watermark back, so that the next run sends again what lies above it."""
    if (args.to is None) == (args.by is None):
        raise ConfigurationError("exactly one of --to VALUE and --by AMOUNT must be given")
    store = store_of(args.stream)
    mark = readable(store, args.stream)
    new = rewound(args.stream, mark, args.to, args.by)
    if args.dry_run:
        tell(args, "rewind", mark, new)
        return
    with locked(args, "rewind", mark):
        mark = readable(store, args.stream)  # it may have moved until the lock was held
        new = rewound(args.stream, mark, args.to, args.by)
        store.save(args.stream, new, expected=mark)
    say(f"stream {args.stream!r}: watermark moved back, by {new.facts['person']}")
    show(flat({"values": named(new)}), "table")


def rewound(stream: str, mark: Watermark | None, to: str | None, by: str | None) -> Watermark:
    """Return the watermark moved back; the next run begins at its value, itself included.

    Args:
        stream: for the error.
        mark: as it stands.
        to: value of the first watermark column.
        by: a number, or a time such as `90s`, `30m`, `2h`, `7d`, `1w`.

    Raises:
        ConfigurationError: it can't be moved so, or that is no way back.
    """
    if mark is None or not mark.values:
        raise ConfigurationError(f"stream {stream!r} has no watermark to move back")
    at = _place(mark.values[0])
    if at is None:
        raise ConfigurationError(
            f"the first watermark column of stream {stream!r} is neither a number nor a time; use `set` with the value"
        )
    back = _lower(at, by) if by is not None else _asked(at, str(to))
    if not back < at:  # type: ignore[operator]
        raise ConfigurationError(
            f"that is not back: stream {stream!r} stands at the value of `show`, and rows above it were not sent. To"
            " leave rows out, use `set`"
        )
    facts = {**mark.facts, "included": True}
    text = str(back) if isinstance(back, Decimal) else back.isoformat(sep=" ")
    return signed(Watermark((text,), None, facts))


def _place(text: str) -> Place | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        pass
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None


def _lower(at: Place, by: str) -> Place:
    amount = _AMOUNT.fullmatch(by)
    if isinstance(at, dt.datetime) and amount is not None:
        return at - dt.timedelta(seconds=int(amount[1]) * _SECONDS[amount[2]])
    number = _place(by)
    if isinstance(at, Decimal) and isinstance(number, Decimal) and number > 0:
        return at - number
    wanted = "a time such as 90s, 30m, 2h, 7d or 1w" if isinstance(at, dt.datetime) else "a number above 0"
    raise ConfigurationError(f"--by {by!r} was given, but this watermark goes back by {wanted}")


def _asked(at: Place, to: str) -> Place:
    found = _place(to)
    if isinstance(at, dt.datetime) and isinstance(found, dt.datetime):
        if (found.tzinfo is None) != (at.tzinfo is None):
            how = "with an offset" if at.tzinfo is not None else "without an offset, as the column holds it"
            raise ConfigurationError(f"--to {to!r} was given; write this column's times {how}")
        return found
    if isinstance(at, Decimal) and isinstance(found, Decimal):
        return found
    raise ConfigurationError(f"--to {to!r} is no {'time' if isinstance(at, dt.datetime) else 'number'}")
