"""What the contracts of databases share."""

from __future__ import annotations

import pytest

from tests.support.profile import LONG
from tests.support.reading import kafka_world, memory_world
from tests.support.topic_sources import BROKERS


@pytest.fixture
def database(legacy):
    """Our database object of the module's `legacy` database."""
    made = legacy.database()
    yield made
    made.close()


@pytest.fixture(params=BROKERS if LONG else BROKERS[:1])
def world(request):
    """A reader of topics, and what writes to them; on Kafka where a test says so, and in the long form."""
    made = (
        memory_world()
        if request.param == "memory"
        else kafka_world(request.getfixturevalue("kafka"), request.getfixturevalue("topics"))
    )
    yield made
    made.reader.close()
