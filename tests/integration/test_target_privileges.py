"""The GRANTs that the documentation prints for targets: a user that has these and nothing else can apply a topic."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.core.ports.target import Counts, RowState, TableStates, Wanted
from airflow_legacy_events.hooks.registry import TARGETS, resolve
from airflow_legacy_events.watermarks.in_target import TargetPositions
from tests.integration.test_privileges import PRINTED
from tests.support.legacy import legacy_database
from tests.support.readers import Reader

LABELS = {"postgresql": "PostgreSQL, target", "mysql": "MariaDB and MySQL, target"}
NAMES = {"postgresql": "postgres", "mysql": "mysql"}
KEYS = [str(number) for number in range(200)]


def applied(target, positions, name, states):
    with target.transaction() as unit:
        counts = unit.apply(states)
        positions.save(unit, name, Watermark((f"t[0]={len(states.rows)}",), None, {}), expected=positions.load(name))
    return counts


@pytest.mark.parametrize("engine", ["postgresql-18", "mariadb-10.11", "mysql-9.7"])
def test_what_is_printed_is_enough(request, engine):
    with legacy_database(request, engine) as legacy:
        legacy.execute("CREATE TABLE orders (id INT PRIMARY KEY, code VARCHAR(20) NOT NULL UNIQUE)")
        user = Reader(legacy)
        statements = [
            one.replace("warehouse", "crm").replace("TO writer", "TO reader") for one in PRINTED[LABELS[legacy.dialect]]
        ]
        user.may(statements)
        kind = resolve(TARGETS[NAMES[legacy.dialect]])
        target = kind("dwh", user.url, statement_timeout=dt.timedelta(seconds=20))
        positions = TargetPositions(sa.create_engine(user.url, poolclass=sa.NullPool), "dwh")
        try:
            assert positions.load("s") is None
            shape = target.reflect("orders", Wanted())
            rows = [RowState((key, f"c{key}"), place) for place, key in enumerate(KEYS)]
            assert applied(target, positions, "s", TableStates(shape, rows)) == Counts(200)
            again = [RowState((key, f"d{key}"), place) for place, key in enumerate(KEYS)]
            assert applied(target, positions, "s", TableStates(shape, again)) == Counts(200)
            gone = [RowState((key, f"d{key}"), place, deleted=True) for place, key in enumerate(KEYS)]
            assert applied(target, positions, "s", TableStates(shape, gone)) == Counts(0, 200)
        finally:
            target.close()
            user.drop()
        assert legacy.execute("SELECT count(*) FROM orders") == [(0,)]
