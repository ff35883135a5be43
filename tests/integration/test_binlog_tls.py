"""TLS for the binlog: what a connection asks for is there as in its other sessions, or nothing is read."""

from __future__ import annotations

import json
from contextlib import closing

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.mysql.mysqldb import MySQLDialect_mysqldb

from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.databases.mysql.changelog.dump_session import DumpSession
from airflow_legacy_events.databases.mysql.connecting import connect, options_of
from tests.support.encrypted import encrypted_server, filled, without_tls
from tests.support.silence import proxy

ASKED = [
    {"ssl_mode": "required"},
    {"ssl": {"ca": "OURS"}},
    {"ssl_mode": "VERIFY_CA", "ssl_ca": "OURS"},
    {"ssl_mode": "VERIFY_IDENTITY", "ssl_ca": "OURS"},
    {"ssl_mode": "REQUIRED", "ssl_cipher": "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"},
]
OTHERS = [
    {"ssl": {"ca": "OTHER"}},
    {"ssl_mode": "VERIFY_CA", "ssl_ca": "OTHER"},
    {"ssl_mode": "VERIFY_IDENTITY"},
]


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory):
    with encrypted_server(tmp_path_factory) as server:
        yield server


def options(server, extra, **changed):
    """Options of mysqlclient for a connection with these extras."""
    made = {name: value for name, value in extra.items() if name != "ssl"}
    url = sa.make_url(server.url()).set(query={name: str(value) for name, value in made.items()})
    nested = {"ssl": extra["ssl"]} if "ssl" in extra else {}
    return {**options_of("crm", MySQLDialect_mysqldb(), url), **nested, **changed}


def encrypts(given):
    with closing(DumpSession("crm", given, 10)) as session:
        return session._wire.encrypted


@pytest.mark.parametrize("extra", ASKED, ids=json.dumps)
def test_a_session_is_encrypted_where_it_was_asked_for(encrypted, extra):
    given = options(encrypted, filled(extra, encrypted))
    connect("crm", given).close()
    assert encrypts(given)


@pytest.mark.parametrize("extra", OTHERS, ids=json.dumps)
def test_a_certificate_of_another_authority_is_refused(encrypted, extra):
    with pytest.raises(LegacyEventsError, match="certificate verify failed"):
        encrypts(options(encrypted, filled(extra, encrypted)))


def test_a_certificate_for_another_name_is_refused(encrypted):
    given = options(encrypted, filled({"ssl_mode": "VERIFY_IDENTITY", "ssl_ca": "OURS"}, encrypted))
    encrypted.present("elsewhere.example")
    try:
        with pytest.raises(LegacyEventsError, match="certificate verify failed"):
            encrypts(given)
    finally:
        encrypted.present("127.0.0.1")


@pytest.mark.parametrize("extra", ASKED, ids=json.dumps)
def test_a_server_without_tls_is_refused_where_it_was_asked_for(encrypted, mariadb_logs, extra):
    with pytest.raises(LegacyEventsError, match="TLS on the server of connection 'crm'"):
        encrypts(options(mariadb_logs, filled(extra, encrypted)))


def test_somebody_between_who_takes_tls_away_is_found_out(encrypted):
    at = options(encrypted, {})
    with proxy(at["host"], at["port"]) as between:
        between.answered = without_tls
        assert not encrypts({**at, "port": between.port})
        with pytest.raises(LegacyEventsError, match="TLS"):
            encrypts(options(encrypted, {"ssl_mode": "REQUIRED"}, port=between.port))


def test_tls_is_used_where_the_server_has_it_unless_it_is_switched_off(encrypted, mariadb_logs):
    assert encrypts(options(encrypted, {}))
    assert not encrypts(options(encrypted, {"ssl_mode": "DISABLED"}))
    assert not encrypts(options(mariadb_logs, {"ssl_mode": "PREFERRED"}))
