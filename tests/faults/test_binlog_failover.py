"""A replica of MariaDB or MySQL takes over while runs are killed: nothing is lost, nothing comes twice; long form."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.faults.changelog_proof import proof_of
from tests.support import proofs
from tests.support.binlog_servers import MADE
from tests.support.binlogs import SERVERS, SHORT
from tests.support.legacy import connected
from tests.support.log_shops_mysql import mysql_shop, rotating
from tests.support.profile import SLOW_SECONDS
from tests.support.replicas import catch_up, primary_and_replica, promote, stop_following

pytestmark = pytest.mark.timeout(SLOW_SECONDS)


@pytest.mark.parametrize("engine", SHORT)
def test_topics_rebuild_the_tables_of_the_server_that_took_over(engine, request, topics, tmp_path):
    with (
        primary_and_replica(MADE[SERVERS[engine]]) as (primary, replica),
        mysql_shop(primary, engine) as shop,
        proof_of(shop, topics, tmp_path) as proof,
    ):
        with rotating(primary, engine):
            proof.some(kills=6)
            proof.some(kills=1)
        catch_up(replica, primary)
        stop_following(replica)
        promote(replica)
        lead(proof, replica)
        proof.let_run()
        with rotating(replica, engine):
            proof.some(kills=6)
        proof.let_run()
        proof.check()
        proofs.keep_figures(f"{request.node.name}: {proof.figures(shop.last_change())}")


def lead(proof, server):
    """Let stream and writers connect to another server."""
    legacy = proof.shop.legacy
    legacy.url = legacy.url.set(port=sa.make_url(server.url()).port)
    legacy.connection.close()
    legacy.connection = connected(legacy.url)
    proof.lead(legacy.url.render_as_string(hide_password=False))
