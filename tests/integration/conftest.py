"""Files whose proofs take longer are part of the long form alone."""

from tests.support.profile import LONG

_LONG = (
    *("test_binlog_restarts.py", "test_changelog_restarts.py", "test_changelog_standby.py"),
    "test_kafka_reader_restarts.py",
    *("test_connect_plain_worker.py", "test_connect_workers.py", "test_postgres_writers_restart.py"),
)
collect_ignore = [] if LONG else [*_LONG]
