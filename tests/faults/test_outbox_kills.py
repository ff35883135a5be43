"""Writers fill an outbox in any order while its drains are killed at random: nothing is lost, and order holds."""

from __future__ import annotations

import json
import random
import time

import pytest

from tests.faults.drain_child import Job
from tests.faults.drains import nursery
from tests.faults.outbox_proof import Proof
from tests.services.kafka import Kafka
from tests.support import proofs
from tests.support.engines import of
from tests.support.legacy import legacy_database
from tests.support.outbox import REFUSED, create_outbox
from tests.support.outbox_writers import writing
from tests.support.profile import LONG
from tests.support.topic_reader import TopicReader
from tests.support.topics import Topics

SECONDS, KILLS = (120, 9) if LONG else (10, 5)
EVERY = of("postgresql", "mysql")
SHORT = [("postgresql-18", "delete", "integers"), ("mariadb-11.8", "mark", "integers")]
CASES = [(name, mode, "integers") for name in EVERY for mode in ("delete", "mark")] if LONG else SHORT
CASES = [case for case in CASES if case[:2] != REFUSED]
CASES += [(name, "delete", "uuids") for name in EVERY if LONG]


@pytest.fixture(scope="module")
def own_kafka():
    """A broker that these tests kill; it comes back once its controller has missed it for two seconds."""
    settings = {"broker.session.timeout.ms": "2000", "broker.heartbeat.interval.ms": "500"}
    found = Kafka(shared=False, settings=settings)
    yield found
    found.stop()


@pytest.fixture
def world(request, own_kafka, tmp_path):
    """A proof in the making, its broker, and its writers."""
    (name, mode, ids), kafka, topics = request.param, own_kafka, Topics(own_kafka)
    prefix = topics.name()
    names = [topics.make(f"{prefix}.{kind}", partitions=2) for kind in ("locked", "pooled")]
    with legacy_database(request, name) as legacy, nursery() as forks:
        create_outbox(legacy, "varchar(36) PRIMARY KEY" if ids == "uuids" else None)
        url = legacy.url.render_as_string(hide_password=False)
        options = {"arguments": {"after_publish": mode}, "limits": {"batch_rows": 50}}
        drains = forks.drains(Job(url, kafka.bootstrap, str(tmp_path), prefix + ".{aggregate_type}", **options))
        reader = TopicReader(kafka.bootstrap, names)
        with writing(legacy, uuids=ids == "uuids") as writers:
            yield Proof(legacy, drains, writers.journal, reader, random.Random(name + mode)), kafka, writers
        reader.close()


@pytest.mark.parametrize("world", CASES, indirect=True, ids="-".join)
def test_nothing_is_lost_and_the_order_of_each_aggregate_holds(world, request):
    proof, kafka, writers = world
    began, restarted = time.monotonic(), False
    while (share := (time.monotonic() - began) / SECONDS) < 1 or proof.kills.total() < KILLS:
        if not restarted and share > 0.4:
            restarted = bool(proof.restart(kafka))
        elif proof.kills.total() < KILLS * share:
            proof.kill()
        else:
            proof.let_run()
    writers.end()
    proof.let_run()

    assert proof.open() == set()
    assert proof.seen.first.keys() == proof.journal.committed
    assert not proof.seen.first.keys() & proof.journal.undone
    locked = dict(proof.legacy.execute("SELECT id, events FROM aggregate"))
    assert {name: proof.seen.numbers[name] for name in locked} == {
        name: list(range(1, events + 1)) for name, events in locked.items()
    }
    figures = {
        "events": len(proof.journal.committed),
        "rolled back": len(proof.journal.undone),
        "rounds": proof.rounds,
        "kills": dict(proof.kills),
        "failed": dict(proof.failures),
        "repeats": proof.seen.repeats,
        "lost": len(proof.lost()),
    }
    proofs.keep_figures(f"{request.node.name}: {json.dumps(figures)}")
