"""Nudges: what makes a quiet log move, and when nothing can."""

import pytest

from airflow_legacy_events.connect.nudges import nudge
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import LogPlace

PGOUTPUT = {"plugin.name": "pgoutput"}
SIGNALS = {"signal.data.collection": "public.signals"}


class Writes:
    """A database that keeps what is written."""

    product, database = "postgresql", "crm"

    def __init__(self, emits=True, published=True):
        self._emits, self._published, self.written = emits, published, []

    def end(self):
        return LogPlace((1,), "0/1")

    def slot(self, name):
        return None

    def emits(self):
        return self._emits

    def emit(self, prefix, content):
        self.written.append(("message", prefix))

    def published(self, publication, table):
        return self._published

    def signal(self, table, id_, kind, data):
        assert len(id_) <= 42
        self.written.append((table, kind))

    def close(self): ...


@pytest.mark.parametrize(
    ("config", "database", "written"),
    [
        (PGOUTPUT, Writes(), ("message", "legacy-events")),
        (PGOUTPUT | {"message.prefix.include.list": "crm,LEGACY-.*"}, Writes(), ("message", "legacy-events")),
        (PGOUTPUT | {"message.prefix.exclude.list": "legacy, crm.*"}, Writes(), ("message", "legacy-events")),
        (PGOUTPUT | SIGNALS, Writes(emits=False), ("public.signals", "log")),
        (PGOUTPUT | SIGNALS, Writes(emits=False, published=None), ("public.signals", "log")),
        (SIGNALS, Writes(), ("public.signals", "log")),
    ],
)
def test_a_message_is_preferred_to_a_row(config, database, written):
    nudge("crm", config)(database)

    assert database.written == [written]


@pytest.mark.parametrize(
    ("config", "database", "text"),
    [
        (PGOUTPUT | {"message.prefix.include.list": "crm"}, Writes(), "let its prefix 'legacy-events' pass"),
        (PGOUTPUT | {"message.prefix.exclude.list": "a,legacy-events"}, Writes(), "message.prefix.exclude.list is"),
        (PGOUTPUT | {"skipped.operations": "t, m"}, Writes(), "skipped.operations is"),
        ({}, Writes(), "needs a signal table"),
        (SIGNALS | PGOUTPUT, Writes(emits=False, published=False), "ALTER PUBLICATION dbz_publication ADD TABLE"),
        (
            PGOUTPUT | {"signal.data.collection": "public.My Signals", "publication.name": "Pub-1"},
            Writes(emits=False, published=False),
            'ALTER PUBLICATION "Pub-1" ADD TABLE public."My Signals"',
        ),
    ],
)
def test_what_would_not_be_seen_is_refused_before_it_is_written(config, database, text):
    with pytest.raises(ConfigurationError, match=text):
        nudge("crm", config)(database)
    assert database.written == []
