"""A topic applied to a table in memory: equal to a model of ten lines, however batches, runs and commits go."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_legacy_events.core.columns import ABSENT, Kind, Shape
from airflow_legacy_events.core.errors import ConfigurationError, DeliveryError, TargetError, WatermarkError
from airflow_legacy_events.core.model import Batch, Watermark
from airflow_legacy_events.core.model.changes import (
    DELETE,
    TRUNCATE,
    UPSERT,
    Changes,
    Poison,
    Received,
    TableChanges,
    TargetColumn,
    TargetShape,
)
from airflow_legacy_events.core.sink.delivery import TRIES, AppliedDelivery
from airflow_legacy_events.core.sink.reducing import reduced
from airflow_legacy_events.core.sink.versions import is_older
from tests.support.fake_target import DEFAULT, FakePositions, FakeTarget, shape

NOTHING = Shape((), (), ())
LEASE = SimpleNamespace(check=lambda: None)
TABLE = shape("id", "a", "b")

keys = st.sampled_from("1234")
values = st.sampled_from([ABSENT, None, "x", "y", "z"])
messages = st.one_of(
    st.tuples(st.just(UPSERT), st.tuples(keys, values, values), st.none()),
    st.tuples(st.just(UPSERT), st.tuples(keys, values, values), st.tuples(keys)),
    st.tuples(st.just(DELETE), st.tuples(keys, st.just(ABSENT), st.just(ABSENT)), st.none()),
    st.tuples(st.just(TRUNCATE), st.just((ABSENT,) * 3), st.none()),
)


class Letters:
    def __init__(self):
        self.sent = []

    def send(self, changes, poison):
        self.sent += [(one.place + changes.received.offsets[0], one.error) for one in poison]


def changes(some, first=0, table=TABLE):
    count = len(some)
    offsets, nothing = range(first, first + count), [None] * count
    received = Received(["t"] * count, [0] * count, offsets, nothing, nothing, [()] * count, nothing)
    found = TableChanges(table)
    for at, (op, row, former) in enumerate(some):
        found.ops.append(op)
        found.rows.append(row)
        found.places.append(at)
        if former is not None:
            found.moved[at] = former
    return Changes(received, {"t": found})


def delivery(target, **options):
    made = AppliedDelivery("s", LEASE, target=target, positions=FakePositions(target), **options)
    made.load()
    made.begin({})
    return made


def run(target, log, size, **options):
    """Deliver what lies above the saved position, in batches."""
    made = delivery(target, **options)
    for first in range(int((made.values or ("0",))[0]), len(log), size):
        some = log[first : first + size]
        after = Watermark((str(first + len(some)),), None, {})
        made.deliver(Batch(NOTHING, some, len(some), after, "c"), changes(some, first))
    return made


def model(log):
    rows = {}
    for op, row, former in log:
        if op == TRUNCATE:
            rows.clear()
            continue
        before = rows.pop(row[0] if former is None else former[0], None)
        if op == UPSERT:
            kept = (DEFAULT,) * 3 if before is None else before
            rows[row[0]] = tuple(old if new is ABSENT else new for old, new in zip(kept, row, strict=True))
    return rows


def possible(log):
    """The same log, in which only a row that is there takes another key, and one that is free."""
    found, there = [], set()
    for op, row, former in log:
        moves = former is not None and former[0] in there and row[0] not in there
        found.append((op, row, former if moves else None))
        if op == TRUNCATE:
            there.clear()
            continue
        there.difference_update((row[0], former[0] if moves else row[0]))
        there.update([row[0]] if op == UPSERT else [])
    return found


def table_of(target):
    return {key[1][0]: row for key, row in target.tables.get("t", {}).items()}


@given(st.lists(messages, max_size=30), st.sampled_from([1, 2, 7, 100]))
def test_the_table_equals_the_model(log, size):
    log, target = possible(log), FakeTarget()
    made = run(target, log, size)
    assert table_of(target) == model(log)
    assert made.delivered.rows == len(log) == made.delivered.events


@given(
    st.lists(messages, max_size=20),
    st.sampled_from([1, 3]),
    st.lists(st.sampled_from([None, None, "lost", "unknown", "cut", "dies"]), max_size=12),
)
def test_each_message_counts_once_however_commits_end(log, size, ends):
    appended, left = shape("id", "a", "b", key=()), list(ends)

    def end():
        found = left.pop(0) if left else None
        if found == "dies":
            raise InterruptedError
        return found

    target = FakeTarget(end=end)
    rows = [row for op, row, _ in log if op == UPSERT]
    for _ in range(len(ends) + 1):
        try:
            made = delivery(target)
            for first in range(int((made.values or ("0",))[0]), len(rows), size):
                some = [(UPSERT, row, None) for row in rows[first : first + size]]
                after = Watermark((str(first + len(some)),), None, {})
                made.deliver(Batch(NOTHING, some, len(some), after, "c"), changes(some, first, appended))
            break
        except (InterruptedError, TargetError):
            continue
    filled = [tuple(DEFAULT if one is ABSENT else one for one in row) for row in rows]
    assert list(target.tables.get("t", {}).values()) == filled


@given(st.lists(st.tuples(keys, st.sampled_from("xy")), max_size=12), st.sampled_from([1, 4, 100]))
def test_a_second_unique_index_passes_where_single_messages_pass(some, size):
    log = [(UPSERT, (key, value, None), None) for key, value in some]
    one_by_one, letters = FakeTarget(unique=(1,)), Letters()
    run(one_by_one, log, 1, dead_letters=letters)
    target, found = FakeTarget(unique=(1,)), Letters()
    run(target, log, size, dead_letters=found)
    rows = table_of(target)
    assert len({row[1] for row in rows.values()}) == len(rows)
    if not letters.sent:
        assert rows == table_of(one_by_one)
        assert not found.sent


def test_two_rows_exchange_unique_values():
    log = [(UPSERT, (key, value, None), None) for key, value in ("1x", "2y", "1t", "2x", "1y")]
    target = FakeTarget(unique=(1,))
    run(target, log[:2], 2)
    made = run(target, log, 3)
    assert table_of(target) == {"1": ("1", "y", None), "2": ("2", "x", None)}
    assert made.delivered.rejected == 0


@pytest.mark.parametrize("bad", [0, 4, 9])
def test_a_guilty_message_goes_to_the_dead_letters_and_the_others_into_the_table(bad):
    log = [(UPSERT, (str(at), "bad" if at == bad else "x", None), None) for at in range(10)]
    target, letters = FakeTarget(refuses=lambda row: row[1] == "bad"), Letters()
    made = run(target, log, 10, dead_letters=letters)
    assert letters.sent == [(bad, "23514")]
    assert sorted(table_of(target)) == sorted(str(at) for at in range(10) if at != bad)
    assert (made.delivered.events, made.delivered.rejected) == (9, 1)


def test_without_dead_letters_nothing_of_the_batch_is_applied_and_no_value_is_named():
    log = [(UPSERT, (str(at), "secret" if at == 5 else "x", None), None) for at in range(10)]
    target = FakeTarget(refuses=lambda row: row[1] == "secret")
    with pytest.raises(DeliveryError, match=r"t\[0\]@5 can't be applied: 23514") as error:
        run(target, log, 10)
    assert "secret" not in str(error.value)
    assert not target.tables
    assert target.marks["s"].values is None


def test_poison_that_decoding_found_is_sent_once_and_before_the_transaction():
    target, letters = FakeTarget(), Letters()
    made = delivery(target, dead_letters=letters)
    some = [(UPSERT, ("1", "x", None), None)]
    found = changes(some)
    found.poison = [Poison(1, "NOT_JSON", "no JSON")]
    made.deliver(Batch(NOTHING, some, 2, Watermark(("2",), None, {}), "c"), found)
    assert letters.sent == [(1, "NOT_JSON")]
    assert table_of(target) == {"1": ("1", "x", None)}


def test_a_zombie_changes_nothing():
    target, log = FakeTarget(), [(UPSERT, (str(at), "x", None), None) for at in range(4)]
    zombie = delivery(target)
    run(target, log, 2)
    before = table_of(target)
    late = [(UPSERT, ("0", "old", None), None)]
    with pytest.raises(WatermarkError):
        zombie.deliver(Batch(NOTHING, late, 1, Watermark(("1",), None, {}), "c"), changes(late))
    assert table_of(target) == before


def test_a_transaction_that_is_always_lost_ends_the_run():
    tries = []
    target = FakeTarget()
    made = delivery(target)
    target.end = lambda: tries.append(1) or "lost"
    some = [(UPSERT, ("1", "x", None), None)]
    with pytest.raises(TargetError, match=f"lost {TRIES} times"):
        made.deliver(Batch(NOTHING, some, 1, Watermark(("1",), None, {}), "c"), changes(some))
    assert len(tries) == TRIES


def test_two_spellings_of_one_key_end_the_run():
    log = [(UPSERT, (key, "x", None), None) for key in "aA"]
    with pytest.raises(ConfigurationError, match="two spellings"):
        run(FakeTarget(fold=str.lower), log, 2)


@given(st.dictionaries(st.text(max_size=3), st.sampled_from([UPSERT, DELETE]), max_size=20), st.integers(0, 20))
def test_rows_with_one_message_each_are_in_the_order_of_their_keys(ops, behind):
    some = changes([(op, (key, "x", None), None) for key, op in ops.items()]).tables["t"]
    within = range(behind)
    found = reduced(some, lambda _, key: tuple(key), within)
    assert [(one.row[0], one.deleted, one.place) for one in found.rows] == sorted(
        ((key, op == DELETE, at) for at, (key, op) in enumerate(ops.items()) if at in within),
        key=lambda one: (len(one[0]), one[0]),
    )


@given(st.lists(st.integers(-12, 200), max_size=20, unique=True), st.sampled_from(["", "7" * 5_000]))
def test_rows_whose_keys_are_integers_are_in_the_same_order(ids, beyond):
    names = [*map(str, ids), *([beyond] if beyond else [])]
    table = TargetShape("t", (TargetColumn("id", Kind.INTEGER, "bigint"),), (0,))
    some = changes([(UPSERT, (name,), None) for name in names], table=table).tables["t"]
    found = reduced(some, lambda _, key: tuple(key))
    assert [one.row[0] for one in found.rows] == sorted(names, key=lambda one: (len(one), one))


def test_two_spellings_of_an_integer_are_one_key():
    table = TargetShape("t", (TargetColumn("id", Kind.INTEGER, "bigint"), TargetColumn("v", Kind.TEXT, "text")), (0,))
    some = changes([(UPSERT, (key, at), None) for at, key in enumerate(["7", "8", "07"])], table=table).tables["t"]
    found = reduced(some, lambda _, key: int(key[0]))
    assert [one.row for one in found.rows] == [("8", 1), ("07", 2)]


versions = st.sampled_from([ABSENT, None, "1", "2", "10", "9"])


@given(st.lists(st.tuples(st.sampled_from([UPSERT, DELETE]), keys, versions), max_size=12))
def test_a_message_below_the_version_of_another_one_of_its_batch_is_passed_over(log):
    columns = (TargetColumn("id", Kind.TEXT, "text"), TargetColumn("v", Kind.INTEGER, "integer"))
    table = TargetShape("t", columns, (0,), version=1)
    some = changes([(op, (key, version), None) for op, key, version in log], table=table).tables["t"]
    found = reduced(some, lambda _, key: tuple(key))
    last, skipped = {}, 0
    for op, key, version in log:
        before = last.get(key, (None, None, False))
        both = all(isinstance(one, str) for one in (version, before[1]))
        if both and int(version) < int(before[1]):
            skipped += 1
            continue
        kept = before[1] if version is ABSENT and not before[2] and key in last and op == UPSERT else version
        last[key] = (op, kept, op == DELETE)
    assert {one.row[0]: (one.row[1], one.deleted) for one in found.rows} == {
        key: (version, deleted) for key, (_, version, deleted) in last.items()
    }
    assert found.skipped == skipped


def test_versions_that_are_times_are_in_their_order():
    table = TargetShape(
        "t", (TargetColumn("id", Kind.TEXT, "text"), TargetColumn("v", Kind.INSTANT, "timestamptz")), (0,), version=1
    )
    older = is_older(table)
    times = ("-infinity", "2026-01-01 00:00:00+00", "2026-01-01 00:00:00.05+00", "2026-01-01 00:00:00.5+00", "infinity")
    for low, high in itertools.combinations(times, 2):
        assert older(("1", low), ("1", high))
        assert not older(("1", high), ("1", low))
    assert not older(("1", "2026-01-01 00:00:00.500+00"), ("1", "2026-01-01 00:00:00.5+00"))
    assert not older(("1", "2026-01-01 00:00:00.000+00"), ("1", "2026-01-01 00:00:00+00"))
