"""Random steps on tables of all kinds, and a replica that is promoted while it is behind: a run says what was lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa

from tests.machine.machine import Machine
from tests.services.mariadb import MariaDB
from tests.services.mysql9 import MySQL9
from tests.services.postgres import Postgres, Postgres18
from tests.support.databases import fresh_database
from tests.support.engines import ENGINES
from tests.support.legacy import Legacy, connected
from tests.support.profile import LONG
from tests.support.proofs import keep_figures
from tests.support.replicas import catch_up, primary_and_replica, promote, stop_following
from tests.support.standby import primary_and_standby

pytestmark = pytest.mark.xdist_group("postgres-server")  # one pair of servers at a time

PARTS, STEPS = (5, 300) if LONG else (1, 40)
SEED = 20261130
ENGINES_OF = {Postgres: "postgresql-15", Postgres18: "postgresql-18", MariaDB: "mariadb-10.11", MySQL9: "mysql-9.7"}
KINDS = list(ENGINES_OF) if LONG else [Postgres]


class Pair(NamedTuple):
    """A primary and its replica; the replica is cut off once it has all that was written, and then promoted."""

    primary: Any
    replica: Any
    cut: Callable[[], None]
    promote: Callable[[], None]


@contextmanager
def pair_of(kind: Any) -> Iterator[Pair]:
    """A pair of these servers."""
    if kind in (MariaDB, MySQL9):
        with primary_and_replica(kind) as (primary, replica):

            def cut() -> None:
                catch_up(replica, primary)
                stop_following(replica)

            yield Pair(primary, replica, cut, lambda: promote(replica))
    else:
        with primary_and_standby(kind) as (primary, standby):

            def part() -> None:
                standby.follow()
                standby.promote()

            yield Pair(primary, standby, part, lambda: None)


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_replica_lost_that_was_promoted_too_early_is_said_by_a_run(kind, part):
    engine, seed = ENGINES[ENGINES_OF[kind]], SEED + part
    with pair_of(kind) as pair, fresh_database(pair.primary) as database:
        url = sa.make_url(database.url)
        with closing(connected(url)) as application:
            machine = Machine(Legacy(engine, url, application), seed)
            machine.go(STEPS)
            pair.cut()
            machine.go(machine.rng.choice((0, 3, 20, 60)))
        pair.promote()
        url = sa.make_url(pair.replica.url(str(url.database)))
        with closing(connected(url)) as application:
            machine.move(Legacy(engine, url, application))
            outcomes = machine.go(STEPS)
    keep_figures(f"random promotion, {engine.name}, seed {seed}, {2 * STEPS} steps: {dict(sorted(outcomes.items()))}")
    assert outcomes["the same"] > STEPS // 10
