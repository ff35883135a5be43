"""What a user may have kept, one case each: how it came about, and what happens next.

A case holds a source, its rows, the operator's arguments, the steps `before` everything is taken out of Airflow, and
the steps `next`. Steps are methods of `World`, without `do_`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Case = Mapping[str, Any]

_NOTE = {"sqlite": "TEXT", "generic": "TEXT", "postgres": "text", "mysql": "longtext"}
_TIME = {"sqlite": "TIMESTAMP", "generic": "TIMESTAMP", "postgres": "timestamptz", "mysql": "datetime(6)"}
_FIRST = (
    "INSERT INTO orders VALUES (1, 9.90, 'a', '2026-11-01 08:00:00')",
    "INSERT INTO orders VALUES (2, 5, NULL, '2026-11-01 08:00:00')",
    "INSERT INTO orders VALUES (3, NULL, 'c', '2026-11-02 08:00:00.5')",
)
NEW = (
    ["sql", "INSERT INTO orders VALUES (4, 1, 'too old', '2026-10-31 08:00:00')"],
    ["sql", "INSERT INTO orders VALUES (5, 2.50, 'e', '2026-11-02 08:00:00.5')"],
    ["sql", "INSERT INTO orders VALUES (6, 3, NULL, '2026-11-03 08:00:00')"],
)
STRICT = {"on_query_change": "fail", "on_schema_change": "fail"}
WINDOW = {"replay": {"from": "2026-11-01T00:00:00Z", "to": "2026-11-05T00:00:00Z"}}
QUERY = "SELECT id, total, note, updated_at FROM orders WHERE id > {}"
ONCE, TWICE = ["run", "first", 0], ["run", "second", 1]


def orders(source: str, *, null: bool = False, rows: tuple[str, ...] = _FIRST) -> list[str]:
    """The table that most cases read."""
    must = "NULL" if null else "NOT NULL"
    return [
        (
            "CREATE TABLE orders (id INTEGER PRIMARY KEY NOT NULL, total DECIMAL(10, 2),"
            f" note {_NOTE[source]}, updated_at {_TIME[source]} {must})"
        ),
        "CREATE INDEX orders_updated_at ON orders (updated_at, id)",
        *rows,
    ]


def spoil(number: int) -> list[str]:
    """A row that can't be sent."""
    return ["spoil", "orders", f"id = {number}"]


def mend(number: int) -> list[str]:
    """It can be sent again."""
    return ["mend", "orders", f"id = {number}"]


def case(about: str, before: list[Any], next_: list[Any], source: str = "sqlite", **arguments: Any) -> Case:
    """A case on the table `orders`; `made` among the arguments is another beginning of the source."""
    made = arguments.pop("made", None) or orders(source)
    given = {"table": "orders", "watermark_columns": ["updated_at"], **STRICT, **arguments}
    if "sql" in given:
        given["table"] = None
    return {"about": about, "source": source, "arguments": given, "made": made, "before": before, "next": next_}


def runs_on(days: int = 1) -> list[Any]:
    """New rows, and a run over them."""
    return [*NEW, ["run", "next", days]]


def ordered() -> dict[str, Case]:
    """A watermark of each kind, from a run that ended well."""
    made = {
        f"timestamp_{source}": case("watermark by a time, tied rows", [ONCE], runs_on(), source)
        for source in ("sqlite", "postgres", "mysql")
    }
    made |= {
        f"id_{source}": case("watermark by the id", [ONCE], runs_on(), source, watermark_columns=["id"])
        for source in ("sqlite", "postgres", "generic")
    }
    return made | {
        "timestamp_and_id": case(
            "watermark by a time and the id", [ONCE], runs_on(), "postgres", watermark_columns=["updated_at", "id"]
        ),
        "interrupted": case(
            "a run that failed in the middle of a tie", [spoil(2), ONCE], [mend(2), *runs_on()], batch_rows=1
        ),
        "begun": case(
            "a stream of which nothing was delivered yet", [spoil(1), ONCE], [mend(1), *runs_on()], batch_rows=1
        ),
        "composite_key": case(
            "a budget that ended in the middle of a tie, by a key of two columns",
            [ONCE],
            [["sql", "INSERT INTO lines VALUES ('a', 9, NULL, '2026-11-01 08:00:00')"], ["run", "next", 1]],
            "postgres",
            made=_LINES,
            table="lines",
            max_rows=2,
            batch_rows=1,
        ),
        "key_columns": case(
            "key columns that were named, columns that were left out",
            [ONCE],
            [["sql", "INSERT INTO orders VALUES (5, 2, 'z', '2026-11-02 08:00:00.5')"], ["run", "next", 1]],
            "postgres",
            key_columns=["note", "id"],
            exclude_columns=["total"],
            made=[*orders("postgres"), "UPDATE orders SET note = 'n'", "ALTER TABLE orders ALTER note SET NOT NULL"],
        ),
        "local_times": case(
            "times without a zone", [ONCE], runs_on(), source_timezone="Europe/Berlin", on_clear="repeat"
        ),
    }


_LINES = [
    (
        "CREATE TABLE lines (region text, number integer, note text, updated_at timestamptz NOT NULL,"
        " PRIMARY KEY (region, number))"
    ),
    "INSERT INTO lines SELECT chr(97 + n / 3), n, NULL, '2026-11-01 08:00:00' FROM generate_series(0, 5) n",
]


def beginnings() -> dict[str, Case]:
    """Where a stream was told to begin."""
    later = "2026-11-20 00:00:00"
    at_it = ["sql", f"INSERT INTO orders VALUES (7, 1, 'at the value', '{later}')"]
    empty = ["sql", "DELETE FROM orders"]
    return {
        "first_run_now": case("marked the end of the table", [ONCE], runs_on(), first_run="now"),
        "first_run_now_empty": case("the end of an empty table", [empty, ONCE], runs_on(), first_run="now"),
        "first_run_value": case("a value", [ONCE], runs_on(), "postgres", first_run="2026-11-02 00:00:00+00"),
        **{
            f"first_run_included_{source}": case(
                "a value that no row has reached: itself is still to be delivered",
                [ONCE],
                [*NEW, at_it, ["run", "next", 1], ["run", "last", 2]],
                source,
                first_run=f"{later}{zone}",
            )
            for source, zone in (("sqlite", ""), ("postgres", "+00"))
        },
    }


def loads() -> dict[str, Case]:
    """Full loads: their number goes on, one that broke off is finished under its own."""
    made = {}
    for source in ("sqlite", "postgres"):
        words = {"source": source, "watermark_columns": [], "batch_rows": 1}
        next_ = [["run", "next", 2], ["run", "last", 3]]
        made[f"bulk_{source}"] = case("two full loads", [ONCE, TWICE], [*NEW, *next_], **words)
        broken = [ONCE, spoil(2), TWICE]
        made[f"bulk_broken_{source}"] = case("a second load that broke off", broken, [mend(2), *NEW, *next_], **words)
    return made


def nulls() -> dict[str, Case]:
    """Passes over rows whose watermark is NULL."""
    more = [f"INSERT INTO orders VALUES ({number}, 1, 'none', NULL)" for number in (11, 12, 13)]
    made, next_ = {}, [["run", "next", 2], ["run", "last", 3]]
    for source in ("sqlite", "postgres"):
        table = [*orders(source, null=True), *more]
        for policy in ("always", "first_run_only"):
            words = {"source": source, "made": table, "null_watermark": policy, "batch_rows": 1}
            made[f"nulls_{policy}_{source}"] = case("a pass that ended", [ONCE], [*NEW, *next_], **words)
            broken = [spoil(12), ONCE]
            made[f"nulls_{policy}_broken_{source}"] = case(
                "a pass that broke off", broken, [mend(12), *NEW, *next_], **words
            )
    words = {"made": [*orders("sqlite", null=True), *more], "batch_rows": 1}
    budget = {"null_watermark": "always", "max_rows": 4}
    made["nulls_always_budget"] = case("a pass cut by max_rows", [ONCE], [*NEW, *next_], **words, **budget)
    made["nulls_skip"] = case("rows that are left out", [ONCE], runs_on(), **words, null_watermark="skip")
    return made
