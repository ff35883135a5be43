"""`airflow legacy-events outbox` as the parser takes it; nothing here reaches a database."""

import pytest

from tests.support.outbox_commands import caller


@pytest.fixture
def outbox(capsys):
    return caller(capsys)


@pytest.mark.parametrize("dialect", ["postgresql", "mariadb", "mysql", "sqlite"])
def test_ddl_prints_a_table_for_each_dialect(outbox, dialect):
    printed = outbox("ddl", "debezium", "--dialect", dialect)
    for column in ("id", "aggregatetype", "aggregateid", "type", "payload", "created_at"):
        assert f"\n  {column} " in printed
    assert "published_at" not in printed
    assert "published_at" in outbox("ddl", "debezium", "--dialect", dialect, "--mark")
    kept = outbox("ddl", "debezium", "--dialect", dialect, "--keep")
    assert "(created_at, id);" in kept
    assert "published_at" not in kept
    assert "autovacuum" not in kept


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["ddl", "debezium"], "--dialect"),
        (["ddl", "other", "--dialect", "sqlite"], "invalid choice: 'other'"),
        (["ddl", "debezium", "--dialect", "oracle"], "invalid choice: 'oracle'"),
        (["trigger", "orders", "--columns", "id"], "--source-conn-id"),
        (["trigger", "orders", "--source-conn-id", "shop"], "--columns"),
        (["trigger", "--source-conn-id", "shop", "--columns", "id"], "table"),
    ],
)
def test_what_is_missing_or_unknown_is_refused(outbox, capsys, words, told):
    with pytest.raises(SystemExit) as ended:
        outbox(*words)
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


def test_a_name_that_is_none_is_refused(outbox):
    with pytest.raises(SystemExit, match="is not a table name"):
        outbox("ddl", "debezium", "--dialect", "sqlite", "--table", "a.b.c")


def test_the_help_says_what_an_event_holds(outbox, capsys):
    with pytest.raises(SystemExit):
        outbox("trigger", "--help")
    told = " ".join(capsys.readouterr().out.split())
    for part in (
        "created, updated, deleted or truncated",
        "for a deleted row the old ones",
        "is two events",
        "TRUNCATE",
    ):
        assert part in told
