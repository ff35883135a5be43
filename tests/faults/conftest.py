"""What only the long form runs."""

from tests.support.profile import LONG

collect_ignore = [] if LONG else ["test_binlog_failover.py", "test_changelog_stopped_broker.py"]
