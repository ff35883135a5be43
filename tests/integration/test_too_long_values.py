"""Values that are longer than a database can make: no database but MariaDB and MySQL gives anything else for them."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core.errors import LegacyEventsError
from tests.support.engines import of
from tests.support.legacy import legacy_database

TOO_LONG = {
    "sqlite": ["hex(zeroblob(600000000))", "zeroblob(1100000000)"],
    "postgresql": ["repeat(body, 1100000000)", "lpad(body, 1100000000)"],
    "firebird": ["RPAD(body, 40000)", "CAST(body || body AS VARCHAR(1))"],
}


@pytest.mark.parametrize("engine", of("sqlite", "postgresql", "firebird"))
def test_a_value_that_is_too_long_to_be_made_fails_the_run(request, engine):
    with legacy_database(request, engine) as legacy:
        legacy.execute("CREATE TABLE t (id integer NOT NULL PRIMARY KEY, body varchar(9))")
        legacy.execute("INSERT INTO t VALUES (1, 'x')")
        for made in TOO_LONG[legacy.dialect]:
            query = f"SELECT id, {made} AS made FROM t"
            with (
                legacy.source(sql=query, watermark_columns=("id",), key_columns=("id",)) as source,
                pytest.raises(LegacyEventsError),
            ):
                list(source.open(None).batches)
