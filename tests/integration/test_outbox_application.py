"""An application that knows of no outbox, the printed SQL, and the drain: from a write to a message."""

import json
import logging

import pytest

from airflow_legacy_events.brokers.memory import MemoryBroker
from tests.support.engines import of
from tests.support.outbox import Drain
from tests.support.outbox_commands import application_on


@pytest.mark.parametrize("mode", ["delete", "mark"])
@pytest.mark.parametrize("engine", [name for name in of("postgresql", "mysql", "sqlite") if name != "mysql-5.6"])
def test_what_an_application_writes_is_drained_without_a_warning(request, capsys, caplog, engine, mode):
    with application_on(request, capsys, engine) as application:
        application.make_outbox(*(["--mark"] if mode == "mark" else []))
        application.run("CREATE TABLE orders (id integer PRIMARY KEY NOT NULL, name varchar(40), secret varchar(9))")
        application.install("orders", "id,name", "--aggregate-type", "order")
        application.run("INSERT INTO orders VALUES (1, 'Änn', 'x'), (2, 'Bob', 'x')")
        application.run("UPDATE orders SET name = NULL WHERE id = 2")
        application.run("DELETE FROM orders WHERE id = 1")

        broker = MemoryBroker()
        drain = Drain(application.legacy.url, broker, arguments={"after_publish": mode})
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            report = drain.run()
        assert caplog.messages == []
        assert report.events == 4
        sent = broker.topic("outbox.event.order")
        assert [(one.key, json.loads(str(one.value))) for one in sent] == [
            ("1", {"id": 1, "name": "Änn"}),
            ("2", {"id": 2, "name": "Bob"}),
            ("2", {"id": 2, "name": None}),
            ("1", {"id": 1, "name": "Änn"}),
        ]
        assert all(one.timestamp for one in sent)
        open_ = "SELECT count(*) FROM outbox" + (" WHERE published_at IS NULL" if mode == "mark" else "")
        assert application.run(open_) == [(0,)]
        assert drain.run().events == 0
