"""A connection of our own type, used by the runs of a DAG."""

import json

from tests.airflow import metadata
from tests.airflow.runs import ids, one_task, report


def test_a_connection_of_our_own_type_is_used_by_run_after_run(postgres_database, broker, topic):
    postgres_database.execute("CREATE TABLE doors (id integer PRIMARY KEY, body text, updated_at timestamptz NOT NULL)")
    postgres_database.execute("INSERT INTO doors SELECT n, 'b', now() FROM generate_series(1, 3) n")
    extra = {"sqlalchemy_url": postgres_database.url}
    metadata.put_connection("own_pg", conn_type="legacy_database", port=0, extra=json.dumps(extra))
    dag = one_task(topic, source_conn_id="own_pg", table="doors")

    first = dag.run()
    postgres_database.execute("INSERT INTO doors VALUES (4, 'b', now())")
    dag.run()

    assert metadata.states(first) == {"publish": "success"}
    assert report(first)["stream"] == f"own_pg.doors@{topic}"
    assert sorted(ids(broker.read(topic))) == [1, 2, 3, 4]
