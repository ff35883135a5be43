"""What every reader of topics promises, checked against a real broker and the one in memory."""

from __future__ import annotations

import uuid
from contextlib import closing

import pytest

from airflow_legacy_events.core.errors import ConfigurationError, GapError, StoppedError, WatermarkError
from airflow_legacy_events.core.ports import Extent, Partition, ReadPosition
from tests.support.reading import kafka_world, memory_world, read


@pytest.fixture(params=["memory", "kafka"])
def world(request):
    made = (
        memory_world()
        if request.param == "memory"
        else kafka_world(request.getfixturevalue("kafka"), request.getfixturevalue("topics"))
    )
    yield made
    made.reader.close()


@pytest.fixture
def topic(world):
    return world.make()


def test_it_names_its_broker_and_cluster(world):
    assert world.reader.bootstrap
    assert world.reader.cluster_id()


def test_messages_are_read_byte_for_byte_in_their_order(world, topic):
    world.send(topic, ("ä", "1"), (None, "2"), ("c", None), ("", ""), timestamp=1_790_000_000_123)
    with closing(world.reading(topic)) as reading:
        received, after = read(reading)

    assert received.keys == ["ä".encode(), None, b"c", b""]
    assert received.values == [b"1", b"2", None, b""]
    assert received.offsets == [0, 1, 2, 3]
    assert received.topics == [topic] * 4
    assert received.partitions == [0] * 4
    assert [tuple(one) for one in received.headers] == [()] * 4
    assert received.timestamps == [1_790_000_000_123] * 4
    assert {one: at.offset for one, at in after.items()} == {Partition(topic, 0): 4}


def test_headers_are_read_as_bytes(world, topic):
    world.send(topic, ("a", "1"), id="7", grund="zu groß")
    world.send(topic, ("b", "2"))
    with closing(world.reading(topic)) as reading:
        received, _ = read(reading)

    assert [list(one) for one in received.headers] == [[("id", b"7"), ("grund", "zu groß".encode())], []]


@pytest.mark.parametrize("most", [1, 7, 1_000])
def test_each_message_is_taken_once_and_positions_continue(world, most):
    topics = [world.make(2), world.make()]
    for topic, partition in ((topics[0], 0), (topics[0], 1), (topics[1], 0)):
        world.send(topic, *((str(at), f"{topic}{partition}{at}") for at in range(20)), partition=partition)
    first = world.reading(*topics)
    taken = first.take(most, 2**20)
    first.close()
    assert 1 <= len(taken.received) <= most
    with closing(world.reading(*topics, at=taken.after)) as rest:
        received, _ = read(rest, most)

    values = [*taken.received.values, *received.values]
    expected = [f"{topic}{partition}{at}".encode() for topic, partition in _parts(topics) for at in range(20)]
    assert sorted(values) == sorted(expected)
    for topic, partition in _parts(topics):
        begin = f"{topic}{partition}".encode()
        assert [one for one in values if one.startswith(begin)] == [one for one in expected if one.startswith(begin)]


def _parts(topics):
    return [(topics[0], 0), (topics[0], 1), (topics[1], 0)]


def test_no_message_is_added_once_the_bytes_are_reached(world, topic):
    world.send(topic, *(("k", "x" * 99) for _ in range(10)))
    with closing(world.reading(topic)) as reading:
        assert len(reading.take(100, 250).received) == 3
        assert len(reading.take(100, 1).received) == 1
        received, after = read(reading)

    assert received.offsets == [4, 5, 6, 7, 8, 9]
    assert after[Partition(topic, 0)].offset == 10


@pytest.mark.parametrize("put_back", [False, True])
def test_positions_are_behind_what_was_taken_where_sizes_grow(world, topic, put_back):
    """What was fetched beyond the bytes is kept for the next take, or dropped where the partition is put back."""
    sizes = [1] * 300 + [1_000] * 30 + [2] * 10
    world.send(topic, *((None, "x" * size) for size in sizes))
    at, found = Partition(topic, 0), []
    with closing(world.reading(topic)) as reading:
        while (taken := reading.take(1_000, 3_000)) is not None:
            values = taken.received.values
            assert sum(map(len, values[:-1])) < 3_000
            found += taken.received.offsets
            assert taken.after[at].offset == found[-1] + 1
            if put_back:
                reading.hold(at, taken.after[at])
                reading.release(at)

    assert found == [*range(len(sizes))]


def test_messages_behind_the_end_are_left(world, topic):
    world.send(topic, ("a", "1"), ("a", "2"))
    with closing(world.reading(topic)) as reading:
        world.send(topic, *(("a", str(at)) for at in range(3, 50)))
        received, after = read(reading)

    assert received.values == [b"1", b"2"]
    assert after[Partition(topic, 0)].offset == 2


def test_an_end_that_is_reached_already_is_read_without_a_broker(world, topic):
    end = Partition(topic, 0)
    assert world.reader.read({end: ReadPosition(0)}, {end: 0}).take(10, 10) is None
    assert world.reader.read({}, {}).take(10, 10) is None


def test_an_aborted_transaction_is_no_message_and_its_marker_no_end_to_wait_for(world, topic):
    world.send(topic, ("a", "1"))
    with world.transaction(topic, commit=False) as send:
        send(("a", "2"), ("a", "3"))
    with closing(world.reading(topic)) as reading:
        received, after = read(reading)

    at = Partition(topic, 0)
    assert received.values == [b"1"]
    assert after[at].offset == 4 == world.ends(topic)[at]
    with closing(world.reading(topic, at=after)) as again:
        assert again.take(10, 1_000) is None


def test_only_gaps_are_passed(world, topic):
    with world.transaction(topic, commit=False) as send:
        send(("a", "2"), ("a", "3"))
    with closing(world.reading(topic)) as reading:
        received, after = read(reading)

    assert received.values == []
    assert after[Partition(topic, 0)].offset == 3


def test_a_transaction_is_read_up_to_its_commit(world, topic):
    world.send(topic, ("a", "1"))
    with world.transaction(topic) as send:
        send(("a", "2"))
        world.send(topic, ("b", "3"))
        open_ = world.reader.read({Partition(topic, 0): ReadPosition(0)}, {Partition(topic, 0): 1})
        received, after = read(open_)
        open_.close()
        assert received.values == [b"1"]
    with closing(world.reading(topic, at=after)) as reading:
        received, after = read(reading)

    assert received.values == [b"2", b"3"]
    assert after[Partition(topic, 0)].offset == 4


def test_an_open_transaction_begins_behind_the_end_and_shows_its_age(world, topic):
    world.send(topic, ("a", "1"), timestamp=1_790_000_000_000)
    at = Partition(topic, 0)
    assert world.reader.find([topic])[topic].partitions == {0: Extent(0, 1, 1)}
    assert world.reader.moments({at: 0}) == {at: 1_790_000_000_000}
    assert world.reader.moments({at: 1}) == {at: None}


def test_a_partition_that_is_held_waits_until_it_is_released(world):
    topic = world.make(2)
    for number in (0, 1):
        world.send(topic, *((str(number), f"{number}{at}") for at in range(10)), partition=number)
    with closing(world.reading(topic)) as reading:
        reading.hold(Partition(topic, 1), ReadPosition(4))
        received, _ = read(reading)
        assert received.values == [f"0{at}".encode() for at in range(10)]
        reading.release(Partition(topic, 1))
        received, after = read(reading, 3)

    assert received.values == [f"1{at}".encode() for at in range(4, 10)]
    assert after[Partition(topic, 1)].offset == 10


def test_a_partition_is_put_back_in_the_middle_of_reading(world):
    topic = world.make(2)
    for number in (0, 1):
        world.send(topic, *((str(number), f"{number}{at}") for at in range(10)), partition=number)
    with closing(world.reading(topic)) as reading:
        first = reading.take(3, 2**20)
        number = first.received.partitions[0]
        reading.hold(Partition(topic, number), ReadPosition(1))
        reading.release(Partition(topic, number))
        received, _ = read(reading, 4)

    own = [value for at, value in enumerate(received.values) if received.partitions[at] == number]
    assert own == [f"{number}{at}".encode() for at in range(1, 10)]


def test_records_deleted_before_they_were_read_are_a_gap_that_can_be_passed(world, topic):
    world.send(topic, *(("a", str(at)) for at in range(10)))
    at, ends = Partition(topic, 0), world.ends(topic)
    world.trim(topic, 0, 6)
    assert world.reader.find([topic])[topic].partitions == {0: Extent(6, 10, 10)}
    with closing(world.reader.read({at: ReadPosition(2)}, ends)) as reading:
        with pytest.raises(GapError, match=r"lost 4 offsets.*\n.*on_gap") as caught:
            reading.take(10, 2**20)
        assert (caught.value.topic, caught.value.partition, caught.value.start) == (topic, 0, 6)
        reading.hold(at, ReadPosition(caught.value.start))
        reading.release(at)
        received, _ = read(reading)

    assert received.values == [b"6", b"7", b"8", b"9"]


def test_a_gap_in_one_partition_loses_nothing_of_the_others(world):
    topic = world.make(3)
    for number in range(3):
        world.send(topic, *(("k", f"{number}-{at}") for at in range(50)), partition=number)
    ends = world.ends(topic)
    world.trim(topic, 1, 20)
    values, gaps = [], 0
    with closing(world.reader.read({one: ReadPosition(0) for one in ends}, ends)) as reading:
        while True:
            try:
                if (taken := reading.take(7, 2**20)) is None:
                    break
                values += taken.received.values
            except GapError as gap:
                gaps += 1
                reading.hold(Partition(topic, 1), ReadPosition(gap.start))
                reading.release(Partition(topic, 1))

    assert gaps == 1
    expected = [f"{number}-{at}".encode() for number in range(3) for at in range(20 * (number == 1), 50)]
    assert sorted(values) == sorted(expected)


def test_a_position_behind_the_log_is_an_error(world, topic):
    world.send(topic, ("a", "1"), ("a", "2"))
    at = Partition(topic, 0)
    with (
        closing(world.reader.read({at: ReadPosition(5)}, {at: 9})) as reading,
        pytest.raises(WatermarkError, match=r"ends at offset 2, but the stored position is 5.*\n.*watermark set") as it,
    ):
        reading.take(10, 2**20)

    assert not isinstance(it.value, GapError)


def test_a_topic_made_again_is_another_one(world, topic):
    world.send(topic, ("a", "1"), ("a", "2"))
    before = world.reader.find([topic])[topic].id
    with closing(world.reading(topic)) as reading:
        world.remake(topic)
        world.send(topic, ("a", "3"), ("a", "4"), ("a", "5"))
        with pytest.raises((WatermarkError, ConfigurationError), match=topic):
            read(reading, 1)

    assert world.reader.find([topic])[topic].id != before


def test_a_topic_deleted_while_it_is_read_is_named(world, topic):
    world.send(topic, *(("a", str(at)) for at in range(10)))
    with closing(world.reading(topic)) as reading:
        reading.take(1, 10)
        world.delete(topic)
        with pytest.raises(ConfigurationError, match=f"topic '{topic}' was deleted while it was read"):
            read(reading)


def test_a_missing_topic_is_named(world):
    with pytest.raises(ConfigurationError, match="of-no-topic"):
        world.reader.find(["of-no-topic"])


def test_it_reports_compaction_and_how_long_tombstones_stay(world):
    plain, compacted = world.make(), world.make(cleanup_policy="compact")
    found = world.reader.find([plain, compacted])
    assert (found[plain].compacted, found[plain].tombstone_ms) == (False, None)
    assert (found[compacted].compacted, found[compacted].tombstone_ms) == (True, 86_400_000)


def test_offsets_by_time_are_those_of_the_first_record_at_or_behind_it(world):
    topic = world.make(2)
    for at in range(5):
        world.send(topic, ("a", str(at)), timestamp=1_790_000_000_000 + at * 1_000)
    one, other = Partition(topic, 0), Partition(topic, 1)
    assert world.reader.offsets_at([one, other], 1_790_000_001_500) == {one: 2, other: None}
    assert world.reader.offsets_at([one], 1_790_000_004_001) == {one: None}


def test_noted_offsets_need_no_member_of_the_group(world, topic):
    world.send(topic, ("a", "1"))
    world.reader.noted(f"g-{uuid.uuid4().hex}", {Partition(topic, 0): ReadPosition(1)})


def test_a_closed_reading_returns_nothing_more(world, topic):
    world.send(topic, ("a", "1"))
    reading = world.reading(topic)
    reading.close()
    reading.close()
    with pytest.raises(StoppedError):
        reading.take(1, 1)
