"""A role that may not enter a database is told by which GRANT it may."""

import pytest

from airflow_legacy_events.errors import SourceError
from tests.support.engines import of
from tests.support.legacy import legacy_database


@pytest.mark.parametrize("engine", of("postgresql", also=("postgresql-15",)))
@pytest.mark.parametrize("name", ["reader", 'odd "reader"'])
def test_the_grant_that_is_named_lets_the_role_in(request, engine, name):
    with legacy_database(request, engine) as legacy:
        database, role = legacy.url.database, f"{legacy.url.database}_{name}"
        quoted = legacy.quoted(role)
        legacy.execute(f"CREATE ROLE {quoted} LOGIN")
        legacy.execute(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC")
        try:
            refused = legacy.database(username=role)
            with pytest.raises(SourceError) as error:
                refused.now()
            *_, grant = str(error.value).split("\n")
            assert grant == f'GRANT CONNECT ON DATABASE "{database}" TO {quoted}'
            legacy.execute(grant)
            entered = legacy.database(username=role)
            assert entered.now()
            entered.close()
        finally:
            legacy.execute(f"DROP OWNED BY {quoted}")
            legacy.execute(f"DROP ROLE {quoted}")
