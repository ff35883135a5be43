"""What somebody can do who may trigger a DAG and nothing else: choose a window and one of the author's topics."""

from __future__ import annotations

import contextlib
import math
import re
import threading
import traceback

import pytest

from airflow_legacy_events.errors import ConfigurationError, LegacyEventsError
from tests.airflow import metadata
from tests.support.attempts.places import Postgres, Sqlite, connection_of
from tests.support.attempts.runs import run
from tests.support.databases import database_of
from tests.support.profile import LONG, some

CONN = "triggered"
HELD_SECONDS = 45
NOT_UNDERSTOOD = "replay that can't be understood"
ANY = "."


def deep(levels):
    found = []
    for _ in range(levels):
        found = [found]
    return found


def window(low, high="3", **more):
    return {"replay": {"from": low, "to": high, **more}}


DAY = {"low": "2026-01-01T00:00:00+00:00", "high": "2026-01-02T00:00:00+00:00"}
_UNPRINTABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]|\nINFO")
SHAPES = {
    "a list": ["replay"],
    "a text": "replay",
    "a number": 7,
    "a replay that is a list": {"replay": [1, 2]},
    "a replay that is a text": {"replay": "'; DROP TABLE t; --"},
    "a replay that is a number": {"replay": math.nan},
    "a replay that is false": {"replay": False},
    "a hundred thousand levels": {"replay": deep(100_000)},
    "levels in a bound": window(deep(100_000)),
    "no bounds": {"replay": {}},
    "one bound": {"replay": {"from": 1}},
    "bounds of null": window(None, None),
    "a bound that is true": window(True),
    "unknown keys": window("1", **{"\x1b[31m": 1, "'; DROP TABLE t; --": 2}),
    "many unknown keys": window("1", **{f"k{at}": at for at in range(20_000)}),
    "a topic of another team": window("1", topic="payments"),
    "a topic that is a list": window("1", topic=["orders"]),
    "a topic that is empty": window("1", topic=""),
    "a topic that is a template": window("1", topic="{{ var.value.secret }}"),
    "a topic of half a surrogate": window("1", topic="\ud800"),
    "a topic of a megabyte": window("1", topic="x" * 2**20),
    "a rate of nothing": window("1", rows_per_second=0),
    "a rate of eleven days": window("1", rows_per_second=1e-6),
    "a rate that is no number": window("1", rows_per_second=math.nan),
    "an endless rate": window("1", rows_per_second=math.inf),
    "a huge rate": window("1", rows_per_second=10**400),
    "a rate that is a text": window("1", rows_per_second="fast"),
    "a rate that is true": window("1", rows_per_second=True),
}
BOUNDS = {
    "SQL": "1) OR 1 = 1; DROP TABLE t; --",
    "a template": "{{ 7 * 7 }}{% for x in y %}",
    "escapes": "\x1b[2J\x1b]0;owned\x07\r\nINFO forged line",
    "a zero byte": "a\x00b",
    "half a surrogate": "\ud800",
    "a text of a megabyte": "9" * 2**20,
    "a number of five thousand digits": 10**5_000,
    "a huge float": 1e308,
    "an endless float": math.inf,
    "no number": math.nan,
    "no number, as a text": "sNaN",
    "a decimal without an end": "1e999999999",
    "digits of another alphabet": "\u0663",
    "a time before all times": "0001-01-01T00:00:00+14:00",
    "a time after all times": "9999-12-31T23:59:59-14:00",
    "a time without an offset": "2026-01-01T00:00:00",
    "a week": "2026-W01-1T00:00:00+00:00",
    "an offset of seconds": "2026-01-01T00:00:00+00:00:00.000001",
    "JSON": '{"replay": {"from": 1}}',
    "nothing but blanks": "   ",
}
HIGH = {"0001-01-01T00:00:00+14:00": DAY["high"], "2026-W01-1T00:00:00+00:00": DAY["high"]}


@pytest.fixture(scope="module")
def topic(topics):
    return topics.make()


@pytest.fixture(autouse=True)
def kafka_connection(kafka):
    extra = f'{{"bootstrap.servers": "{kafka.bootstrap}", "linger.ms": 0}}'
    metadata.put_connection("two_roles_kafka", conn_type="kafka", extra=extra)


@pytest.fixture(scope="module", params=["sqlite", "postgresql-18"])
def place(request, tmp_path_factory):
    with contextlib.ExitStack() as stack:
        if request.param == "sqlite":
            made = Sqlite(tmp_path_factory.mktemp("triggered"), "own")
        else:
            made = Postgres(stack.enter_context(database_of(request, request.param)))
            stack.callback(made.close)
        made.plant(())
        metadata.put_connection(CONN, **connection_of(made, "own"))
        yield made


def ended(topic, column, **arguments):
    result = []

    def main():
        try:
            result.append(run(CONN, topic, table="t", watermark_columns=[column], **arguments))
        except BaseException as error:  # noqa: BLE001  it is judged
            result.append(error)

    worker = threading.Thread(target=main, daemon=True)
    worker.start()
    worker.join(HELD_SECONDS)
    assert result, "the worker is held"
    return result[0]


def check(place, found):
    """The answer is ours, in one line of a length that can be read."""
    assert place.written() == []
    if not isinstance(found, BaseException):
        return
    assert isinstance(found, LegacyEventsError), ascii("".join(traceback.format_exception(found))[-900:])
    told = str(found)
    assert not _UNPRINTABLE.search(told), ascii(told[:300])
    assert len(told) < 4_000, ascii(told[:300])


@pytest.mark.parametrize("form", [False, True], ids=["configuration", "form"])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_replay_of_any_shape_is_refused(place, topic, shape, form):
    conf, params = SHAPES[shape], None
    if form:
        replay = conf.get("replay") if isinstance(conf, dict) else conf
        given = replay if isinstance(replay, dict) else {"from": replay, "to": replay}
        conf, params = {}, {f"replay_{name}": value for name, value in given.items()}
    found = ended(topic, "id", conf=conf, params=params)
    check(place, found)
    if not form:
        assert isinstance(found, ConfigurationError), ascii(found)[:300]


@pytest.mark.parametrize("column", ["id", "v", "at"] if LONG else ["id", "at"])
@pytest.mark.parametrize("bound", some([*BOUNDS], 2))
def test_a_bound_is_a_value_and_nothing_else(place, topic, bound, column):
    low = BOUNDS[bound]
    for conf in (window(low, HIGH.get(low, low)), window("1", low)):
        check(place, ended(topic, column, conf=conf))
