"""What is private in PyMySQL, and used, is there in the release that is installed."""

from __future__ import annotations

import importlib.metadata
import socket
import types

import pymysql
import pytest
from pymysql.connections import Connection

from airflow_legacy_events.databases.mysql.changelog import wire
from airflow_legacy_events.databases.mysql.changelog.wire import Wire


def test_the_installed_release_is_known():
    """A new one: see that `Connection._sock` is the plain or TLS socket, and add it."""
    assert importlib.metadata.version("PyMySQL").rpartition(".")[0] in wire.KNOWN
    assert Connection._sock is None


@pytest.fixture
def pair():
    ours, servers = socket.socketpair()
    with servers:
        yield Wire(types.SimpleNamespace(_sock=ours, close=ours.close), 0.05), servers


def test_silence_is_a_lost_connection(pair):
    pair[0].send(b"a")
    with pytest.raises(pymysql.OperationalError, match="sent nothing for too long") as caught:
        pair[0].receive(memoryview(bytearray(4)))
    assert caught.value.args[0] == wire.LOST


def test_the_server_s_end_is_a_lost_connection(pair):
    ours, servers = pair
    servers.sendall(b"ab")
    servers.shutdown(socket.SHUT_WR)
    buffer = memoryview(bytearray(4))
    assert ours.receive(buffer) == 2
    with pytest.raises(pymysql.OperationalError, match="the server closed the connection"):
        ours.receive(buffer)


def test_it_is_closed_once_and_reads_no_more(pair):
    ours, servers = pair
    ours.close()
    ours.close()
    assert servers.recv(4) == b""
    with pytest.raises(pymysql.OperationalError, match="was closed"):
        ours.receive(memoryview(bytearray(4)))
