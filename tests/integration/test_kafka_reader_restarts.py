"""Reading of a broker that restarts, loses the end of its log, compacts it, or goes away."""

from __future__ import annotations

import shutil
from contextlib import closing

import pytest

from airflow_legacy_events.brokers.kafka.reading import reading
from airflow_legacy_events.brokers.kafka.reading import topics as looked_up
from airflow_legacy_events.core.errors import DeliveryError, WatermarkError
from airflow_legacy_events.core.ports import Partition, ReadPosition
from tests.services.base import wait_until
from tests.services.kafka import Kafka
from tests.support.reading import kafka_world, read
from tests.support.topics import Topics

pytestmark = pytest.mark.xdist_group("kafka-restarts")  # its broker is started once


@pytest.fixture(scope="module")
def broker():
    made = Kafka(shared=False, settings={"log.cleaner.backoff.ms": "100"})
    yield made
    made.stop()


@pytest.fixture
def world(broker):
    made = kafka_world(broker, Topics(broker))
    yield made
    made.reader.close()


@pytest.fixture
def topic(world):
    return world.make()


def restarted(broker):
    broker.kill()
    broker.restart()


def numbers(first, end):
    return [("k", str(at)) for at in range(first, end)]


def rest(world, topic, after):
    with closing(world.reading(topic, at=after)) as one:
        return read(one)


def test_a_log_that_was_cut_and_filled_again_is_not_read_on(broker, world, topic, tmp_path):
    world.send(topic, *numbers(0, 900))
    broker.kill()
    folder = broker.folder / "data" / f"{topic}-0"
    shutil.copytree(folder, tmp_path / "earlier")
    broker.restart()
    world.send(topic, *numbers(900, 1_000))
    _, after = rest(world, topic, {})
    assert after[Partition(topic, 0)].offset == 1_000
    broker.kill()
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "earlier", folder)
    broker.restart()
    assert world.ends(topic)[Partition(topic, 0)] == 900
    world.send(topic, *numbers(5_000, 5_300))

    with pytest.raises(
        WatermarkError, match=r"from offset 900 on it holds other records.*up to 1000.*\n.*watermark set"
    ):
        rest(world, topic, after)
    received, _ = rest(world, topic, {Partition(topic, 0): ReadPosition(900)})
    assert received.values[0] == b"5000"
    assert len(received.values) == 300


def test_positions_behind_gaps_of_later_leaders_stay_valid(broker, world, topic):
    """The epoch of a position is that of the control record before it, not that of the last message."""
    at = Partition(topic, 0)
    world.send(topic, *numbers(0, 3))
    restarted(broker)
    with world.transaction(topic, commit=False) as send:
        send(*numbers(3, 5))
    received, after = rest(world, topic, {})
    assert received.offsets == [0, 1, 2]
    assert after[at].offset == 6
    restarted(broker)
    world.send(topic, *numbers(6, 8))
    received, after = rest(world, topic, after)
    assert received.offsets == [6, 7]
    restarted(broker)
    with world.transaction(topic, commit=False) as send:
        send(*numbers(8, 9))
    ends = world.ends(topic)
    restarted(broker)
    world.send(topic, *numbers(10, 12))
    with closing(world.reader.read(after, ends)) as one:
        received, after = read(one)
    assert (received.offsets, after[at].offset) == ([], 10)
    received, after = rest(world, topic, after)
    assert received.offsets == [10, 11]
    world.trim(topic, 0, 12)
    restarted(broker)
    world.send(topic, *numbers(12, 13))
    assert rest(world, topic, after)[0].offsets == [12]


def test_what_was_compacted_is_passed(world):
    settings = {"segment_ms": "100", "min_cleanable_dirty_ratio": "0.01", "max_compaction_lag_ms": "100"}
    topic = world.make(cleanup_policy="compact", delete_retention_ms="100", **settings)
    end = Partition(topic, 0)
    world.send(topic, *((str(at % 5), str(at)) for at in range(50)))

    def compacted():
        world.send(topic, ("other", "x"))
        received, after = rest(world, topic, {})
        assert after[end].offset == received.offsets[-1] + 1
        return len(received.values) < 40 and (received, after)

    received, after = wait_until(compacted, "the topic being compacted")
    assert [value for key, value in zip(received.keys, received.values, strict=True) if key != b"other"] == [
        str(at).encode() for at in range(45, 50)
    ]
    middle = received.offsets[0] - 1
    with closing(world.reader.read({end: ReadPosition(0)}, {end: middle})) as one:
        received, after = read(one)
    assert (received.offsets, after[end].offset) == ([], middle)


def test_a_broker_that_goes_away_is_an_error_and_one_that_restarts_is_none(broker, world, topic, monkeypatch):
    world.send(topic, *numbers(0, 2_000))
    world.send(topic, *(("k", "x" * 10_000) for _ in range(3_000)))
    with closing(world.reading(topic)) as one:
        first = one.take(100, 2**20)
        restarted(broker)
        received, _ = read(one)
    assert first.received.offsets + received.offsets == [*range(5_000)]
    with closing(world.reading(topic)) as one:
        one.take(1, 2**20)
        broker.kill()
        monkeypatch.setattr(looked_up, "SECONDS", 1.0)
        monkeypatch.setattr(reading, "SILENT_SECONDS", 1.0)
        with pytest.raises(DeliveryError, match=r"127\.0\.0\.1.*\nCheck the address"):
            read(one)
    broker.restart()
