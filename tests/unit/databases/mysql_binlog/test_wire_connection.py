"""Options of mysqlclient as PyMySQL takes them, and the errors of logins that it can't do."""

from __future__ import annotations

import ssl

import pymysql
import pytest

from airflow_legacy_events.core.errors import ConfigurationError, SourceError
from airflow_legacy_events.databases.mysql.changelog import connection


def test_fields_keep_their_meaning(tmp_path):
    key = tmp_path / "key.pem"
    key.write_bytes(b"key")
    given = {
        "host": "db", "port": 3307, "user": "u", "passwd": "geheim €", "db": "shop", "connect_timeout": 3,
        "init_command": "SET ROLE r", "server_public_key_path": str(key), "compress": True, "charset": "latin1",
    }  # fmt: skip
    found = connection._fields("crm", given)
    assert found.pop("client_flag")
    assert found == {
        "host": "db", "port": 3307, "user": "u", "password": "geheim €".encode(), "database": "shop",
        "connect_timeout": 3, "init_command": "SET ROLE r", "server_public_key": b"key",
    }  # fmt: skip


def test_a_socket_is_used_if_one_is_named():
    assert connection._fields("crm", {"unix_socket": "/run/x.sock"})["unix_socket"] == "/run/x.sock"
    assert "unix_socket" not in connection._fields("crm", {"host": "db"})


def test_localhost_means_the_socket_of_the_machine(tmp_path, monkeypatch):
    file = tmp_path / "no.sock"
    file.touch()
    monkeypatch.setattr(connection, "_SOCKETS", (str(tmp_path / "none.sock"), str(file)))
    assert "unix_socket" not in connection._fields("crm", {"host": "localhost"})


def test_a_key_that_is_not_there_is_named():
    with pytest.raises(ConfigurationError, match="'server_public_key_path' of connection 'crm'"):
        connection._fields("crm", {"server_public_key_path": "/no/such/key.pem"})


@pytest.mark.parametrize(
    ("mode", "files", "mode_of_context", "names"),
    [
        ("", {}, ssl.CERT_NONE, False),
        ("PREFERRED", {}, ssl.CERT_NONE, False),
        ("REQUIRED", {}, ssl.CERT_NONE, False),
        ("VERIFY_CA", {}, ssl.CERT_REQUIRED, False),
        ("VERIFY_IDENTITY", {}, ssl.CERT_REQUIRED, True),
    ],
)
def test_each_mode_verifies_what_it_says(mode, files, mode_of_context, names):
    found = connection._context("crm", mode, files)
    assert found is not None
    assert (found.verify_mode, found.check_hostname) == (mode_of_context, names)


def test_without_tls_there_is_nothing_to_verify():
    assert connection._context("crm", "DISABLED", {}) is None


def test_a_cipher_that_does_not_exist_is_named():
    with pytest.raises(ConfigurationError, match="extra 'ssl_cipher' of connection 'crm'"):
        connection._context("crm", "REQUIRED", {"cipher": "NO-SUCH"})


@pytest.mark.parametrize(
    ("error", "kind", "begins"),
    [
        (RuntimeError("'pynacl' package is required for ed25519_password auth method"), ConfigurationError,
         "pip install 'PyMySQL[ed25519]' where the tasks run, or let connection 'crm' use another user"),
        (RuntimeError("'cryptography' package is required for sha256_password or caching_sha2_password auth methods"),
         ConfigurationError, "pip install 'PyMySQL[rsa]' where the tasks run"),
        (pymysql.OperationalError(2059, "Authentication plugin 'b'parsec'' not configured"), ConfigurationError,
         "let connection 'crm' use a user of caching_sha2_password, mysql_native_password or ed25519"),
        (pymysql.OperationalError(1045, "Access denied"), SourceError, "connection 'crm' failed while opening"),
        (IndexError("out of range"), SourceError, "connection 'crm' failed while opening"),
    ],
)  # fmt: skip
def test_each_refusal_says_what_to_do(error, kind, begins):
    found = connection._refused("crm", error, None)
    assert type(found) is kind
    assert str(found).startswith(begins)
