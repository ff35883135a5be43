"""Writers change tables while runs of their change log are killed: each topic rebuilds its table, nothing is undone."""

from __future__ import annotations

import pytest

from tests.faults.changelog_proof import proof_of
from tests.support import proofs
from tests.support.engines import of
from tests.support.log_shops import PostgresShop
from tests.support.profile import LONG, SLOW_SECONDS
from tests.support.slots import logged_database

pytestmark = pytest.mark.timeout(SLOW_SECONDS)

SECONDS, KILLS = (180, 40) if LONG else (20, 8)
ENGINES = of("postgresql") if LONG else ("postgresql-15",)


@pytest.fixture
def proof(request, topics, tmp_path):
    with (
        logged_database(request, request.param) as logged,
        proof_of(PostgresShop.of(logged), topics, tmp_path) as found,
    ):
        yield found


@pytest.mark.parametrize("proof", ENGINES, indirect=True)
def test_each_topic_rebuilds_its_table_whatever_dies(proof, request):
    loaded = proof.while_writing(SECONDS, KILLS)
    proof.let_run()
    proof.check()
    proofs.keep_figures(f"{request.node.name}: {proof.figures(loaded)}")
