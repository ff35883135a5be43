"""Cases in which a person or a changed query moved the watermark, or Airflow ran a task again."""

from __future__ import annotations

from typing import Any

from tests.golden.kept.cases import NEW, ONCE, QUERY, TWICE, WINDOW, Case, case, mend, orders, runs_on, spoil

FIFTH = ["sql", "INSERT INTO orders VALUES (7, 1, 'g', '2026-11-04 08:00:00')"]
REWIND = ["cli", "rewind", "{stream}", "--to", "2026-11-02 00:00:00"]
YEARS = 36_500


def moved() -> dict[str, Case]:
    """By a person."""
    aware = [*REWIND[:-1], "2026-11-02 00:00:00+00:00"]
    full = ["cli", "set", "{stream}", "2026-11-01 08:00:00", "1"]
    part = ["cli", "set", "{stream}", "2026-11-01 08:00:00+00"]
    by_id = ["cli", "rewind", "{stream}", "--by", "2"]
    return {
        "rewound_sqlite": case("rewound to a time", [ONCE, REWIND], runs_on()),
        "rewound_postgres": case("rewound to a time", [ONCE, aware], runs_on(), "postgres"),
        "rewound_id": case("rewound by a number", [ONCE, by_id], runs_on(), watermark_columns=["id"]),
        "set": case("set to a whole position", [ONCE, full], runs_on()),
        "set_part": case("set to a value, itself included", [ONCE, part], runs_on(), "postgres"),
        "accepted_server": case(
            "its server was accepted", [ONCE, ["cli", "set", "{stream}", "--accept-server"]], runs_on()
        ),
        "copied": case(
            "moved to another store",
            [
                ONCE,
                ["cli", "copy", "{stream}", "--to", "table:kept_store"],
                ["dag", {"watermark_store": "table:kept_store"}],
            ],
            runs_on(),
        ),
        "forgotten": case("forgotten, so it begins anew", [ONCE, ["cli", "forget", "{stream}"]], runs_on()),
    }


def queries() -> dict[str, Case]:
    """Queries, and what became of the watermark when they changed."""
    words: dict[str, Any] = {"sql": QUERY.format(0), "key_columns": ["id"], "batch_rows": 1}
    made = {f"query_{source}": case("a query", [ONCE], runs_on(), source, **words) for source in ("sqlite", "postgres")}
    changed = {"sql": QUERY.format(1)}
    reset = ["dag", {**changed, "on_query_change": "reset"}]
    nulls = [*orders("sqlite", null=True), "INSERT INTO orders VALUES (11, 1, 'none', NULL)"]
    after = ["dag", changed]
    return made | {
        "query_named": case("a query under a name of its own", [ONCE], runs_on(), stream="shop orders/ä?#%", **words),
        "query_kept": case(
            "a query that changed, its watermark kept",
            [ONCE, ["dag", {**changed, "on_query_change": "keep"}], TWICE, after],
            [*NEW, ["run", "next", 2]],
            **words,
        ),
        "query_reset": case(
            "a query that changed, so its stream began anew",
            [ONCE, reset, TWICE, after],
            [*NEW, ["run", "next", 2]],
            made=nulls,
            null_watermark="always",
            **words,
        ),
        "query_reset_broken": case(
            "the same, broken off in the middle",
            [ONCE, reset, spoil(3), TWICE, after],
            [mend(3), *NEW, ["run", "next", 2]],
            **words,
        ),
        "bulk_reset": case(
            "a full load of a query that changed",
            [ONCE, reset, TWICE, after],
            [*NEW, ["run", "next", 2]],
            watermark_columns=[],
            **words,
        ),
        "long_name": case("a stream with a long name", [ONCE], runs_on(), stream="lang " + "größer/" * 60),
    }


def stores() -> dict[str, Case]:
    """Each store: a stream, and the progress of a replay that broke off."""
    made = {}
    for name in ("variable", "table:kept_store", "asset", "xcom"):
        short, words = name.partition(":")[0], {"watermark_store": name, "batch_rows": 1}
        made[f"store_{short}"] = case("a stream in this store", [ONCE, TWICE], runs_on(2), **words)
        broken = [ONCE, spoil(2), ["run", "again", 1, "scheduled", WINDOW]]
        made[f"replay_{short}"] = case(
            "a replay that broke off", broken, [mend(2), ["clear", "again"], *runs_on(2)], **words
        )
    return made | {
        "replay_postgres": case(
            "a backfill's run that broke off",
            [["run", "first", 1], spoil(2), ["run", "again", 0, "backfill"]],
            [mend(2), ["clear", "again"], *runs_on(2)],
            "postgres",
            batch_rows=1,
        ),
        "replay_ids": case(
            "a replay of values that broke off",
            [ONCE, spoil(2), ["run", "again", 1, "manual", {"replay": {"from": 1, "to": 4, "rows_per_second": 900}}]],
            [mend(2), ["clear", "again"], *runs_on(2)],
            watermark_columns=["id"],
            batch_rows=1,
        ),
        "replay_form": case(
            "a replay by the trigger form that broke off",
            [
                ONCE,
                spoil(2),
                ["run", "again", 1, "manual", {f"replay_{one}": WINDOW["replay"][one] for one in ("from", "to")}],
            ],
            [mend(2), ["clear", "again"]],
            batch_rows=1,
        ),
        "xcom_forgotten": case(
            "forgotten in XComs", [ONCE, ["cli", "forget", "{stream}"]], runs_on(), watermark_store="xcom"
        ),
        "xcom_cleared": case(
            "the run that ended the first load, cleared",
            [ONCE],
            [["clear", "first"], *runs_on()],
            watermark_store="xcom",
        ),
    }


def records() -> dict[str, Case]:
    """What a task instance moved through: runs that are open, runs that are done, repeats that broke off."""
    words: dict[str, Any] = {"on_clear": "repeat", "batch_rows": 1}
    opened = [ONCE, *NEW[1:], spoil(6), TWICE]
    twice = [*opened, REWIND, ["clear", "second"]]
    ends = [mend(6), ["clear", "second"]]
    broken = [*opened, mend(6), ["clear", "second"], spoil(6), ["clear", "second"]]
    made = {
        "record_done": case(
            "a run that is done", [ONCE, *NEW, TWICE], [["clear", "second"], FIFTH, ["run", "next", 2]], **words
        ),
        "record_open": case("a run that failed", opened, [*ends, FIFTH, ["clear", "second"]], **words),
        "record_open_also": case("a run with two beginnings", twice, [*ends, FIFTH, ["clear", "second"]], **words),
        "record_done_also": case("the same, done", [*twice, *ends], [FIFTH, ["clear", "second"]], **words),
        "record_retry": case(
            "a run that waits for its retry",
            opened,
            [mend(6), ["retry", "second"]],
            retries=2,
            retry_delay=0,
            batch_rows=1,
        ),
        "rerun_postgres": case("a repeat that broke off", broken, ends, "postgres", **words),
    }
    for name in ("variable", "table:kept_store", "asset", "xcom"):
        about = "a repeat that broke off"
        made[f"rerun_{name.partition(':')[0]}"] = case(
            about, broken, [*ends, FIFTH, ["run", "next", 2]], **words, watermark_store=name
        )
    return made


def cooldowns() -> dict[str, Case]:
    """Who was told of which rows, and when."""
    table = {"table": "orders", "watermark_columns": ["updated_at"]}
    looks = [["look", waits, table, days] for days in (YEARS, 0.0000001) for waits in ("sensor", "trigger")]
    told = [["look", waits, table, YEARS] for waits in ("sensor", "trigger")]
    return {
        "cooldown": case("a sensor and a trigger were told", [ONCE, *NEW, *told], [*looks[:2], FIFTH, *looks]),
        "cooldown_new": case("told of a stream that has not begun", told, looks),
    }
