"""Which tests in a browser are left to the long form."""

from tests.support.profile import LONG

collect_ignore = [] if LONG else ["test_connections.py"]
