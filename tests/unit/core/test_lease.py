"""Fencing: how long a proof of the lock counts, by which clock, and what it stands in front of."""

from __future__ import annotations

import itertools

import pytest

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.core.lease import PROOF_SECONDS, FencedBroker, ProvedLease
from airflow_legacy_events.core.model import Messages
from airflow_legacy_events.databases.locks import LEASE_SECONDS


class Clocks:
    """Two clocks, moved by hand."""

    def __init__(self):
        self.boot, self.wall = 100.0, 1_800_000_000.0

    @property
    def both(self):
        return (lambda: self.boot, lambda: self.wall)


class Held:
    """A lease that counts its proofs until it is lost."""

    def __init__(self, then=lambda: None):
        self.proofs, self.lost, self.then = 0, False, then

    def check(self):
        self.then()
        if self.lost:
            raise SourceError("the lock is lost")
        self.proofs += 1

    def execute(self, statements):
        self.check()
        return []


@pytest.fixture
def clocks():
    return Clocks()


@pytest.fixture
def held():
    return Held()


@pytest.fixture
def lease(held, clocks):
    return ProvedLease(held, clocks.both)


def test_a_proof_counts_less_than_half_of_the_time_after_which_others_may_judge():
    assert PROOF_SECONDS < LEASE_SECONDS / 2


def test_nothing_is_proved_at_first(lease, held):
    lease.prove()
    assert held.proofs == 1


@pytest.mark.parametrize("proof", [lambda lease: lease.check(), lambda lease: lease.execute([]), ProvedLease.prove])
def test_a_young_proof_counts(lease, held, clocks, proof):
    proof(lease)
    clocks.boot += PROOF_SECONDS - 0.1
    clocks.wall += PROOF_SECONDS - 0.1
    lease.prove()
    assert held.proofs == 1


@pytest.mark.parametrize(
    ("boot", "wall"),
    [(PROOF_SECONDS, PROOF_SECONDS), (PROOF_SECONDS, 0), (0, PROOF_SECONDS), (PROOF_SECONDS, -3600), (0.1, 3600)],
    ids=["stopped", "a wall clock that stands", "a machine that was moved", "a wall clock set back", "summer"],
)
def test_by_whichever_clock_has_moved_furthest_an_old_proof_is_made_again(lease, held, clocks, boot, wall):
    lease.check()
    clocks.boot += boot
    clocks.wall += wall
    lease.prove()
    assert held.proofs == 2
    lease.prove()
    assert held.proofs == 2


def test_a_proof_is_as_old_as_its_question(clocks):
    """Who is stopped while it waits for the answer knows what was true when it asked."""
    held = Held(then=lambda: setattr(clocks, "boot", clocks.boot + PROOF_SECONDS))
    lease = ProvedLease(held, clocks.both)
    for proof in (lease.check, lambda: lease.execute([])):
        proof()
        before = held.proofs
        lease.prove()
        assert held.proofs == before + 1


def test_what_failed_is_no_proof(lease, held):
    lease.check()
    held.lost = True
    for _ in range(2):
        with pytest.raises(SourceError):
            lease.check()
        with pytest.raises(SourceError):
            lease.prove()


def test_the_real_clocks_go_on():
    held = Held()
    lease = ProvedLease(held)
    lease.prove()
    lease.prove()
    assert held.proofs == 1


def test_messages_go_out_behind_a_proof_only(lease, held, clocks):
    broker = MemoryBroker()
    fenced = FencedBroker(broker, lease)
    numbers = itertools.count()

    def send():
        messages = Messages("t", ["k"], [str(next(numbers))])
        assert list(fenced.refused(messages)) == []
        fenced.publish(messages)
        assert list(fenced.confirm()) == []

    send()
    held.lost = True
    send()
    clocks.wall += PROOF_SECONDS
    with pytest.raises(SourceError, match="the lock is lost"):
        send()
    assert list(fenced.confirm()) == []
    assert [kept.value for kept in broker.topic("t")] == ["0", "1"]
