"""Writers change tables of MariaDB and MySQL, by XA too, in a log that is compressed and turns to its next file.

Runs are killed meanwhile: each topic rebuilds its table, and nothing is undone.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.faults.changelog_proof import proof_of
from tests.support import proofs
from tests.support.binlog_servers import binlog_server
from tests.support.binlogs import SERVERS
from tests.support.log_shops_mysql import mysql_shop, rotating
from tests.support.profile import LONG, SLOW_SECONDS

pytestmark = pytest.mark.timeout(SLOW_SECONDS)

SECONDS, KILLS = (180, 40) if LONG else (8, 5)


class Case(NamedTuple):
    """A server; what differs in its settings."""

    engine: str
    settings: dict[str, str]


SHORT = {"mariadb-10.11": Case("mariadb-10.11", {}), "mysql-9.7": Case("mysql-9.7", {})}
CASES = SHORT | {
    "mariadb-11.8": Case("mariadb-11.8", {}),
    "mysql-5.6": Case("mysql-5.6", {}),
    "mysql-5.6 without GTIDs": Case("mysql-5.6", {"gtid_mode": "OFF", "enforce_gtid_consistency": "OFF"}),
    "mysql-9.7 without names": Case("mysql-9.7", {"binlog_row_metadata": "MINIMAL"}),
    "mariadb-10.11 without names": Case("mariadb-10.11", {"binlog_row_metadata": "NO_LOG"}),
}


@pytest.mark.parametrize("case", CASES if LONG else SHORT)
def test_each_topic_rebuilds_its_table_whatever_dies(case, request, topics, tmp_path):
    engine, settings = CASES[case]
    with (
        binlog_server(SERVERS[engine], **settings) as server,
        mysql_shop(server, engine) as shop,
        proof_of(shop, topics, tmp_path) as proof,
    ):
        shop.drops = "without names" not in case and engine != "mysql-5.6"  # two changes between two runs want names
        with rotating(server, engine):
            loaded = proof.while_writing(SECONDS, KILLS)
            proof.let_run()
        proof.check()
        proofs.keep_figures(f"{request.node.name}: {proof.figures(loaded)}")
