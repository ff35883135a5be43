"""Type codes of the events of the binlog, and what a reader does with each.

Sources: the enumeration `Log_event_type` of MySQL 5.6 to 9.7 (`binlog_event.h`) and of MariaDB 10.2 to 11.8
(`log_event.h`). MariaDB's own codes begin at 160; both families use the codes up to 38.
"""

from __future__ import annotations

QUERY = 2
STOP = 3
ROTATE = 4
INTVAR = 5
SLAVE = 7
APPEND_BLOCK = 9
DELETE_FILE = 11
RAND = 13
USER_VAR = 14
FORMAT_DESCRIPTION = 15
XID = 16
BEGIN_LOAD_QUERY = 17
EXECUTE_LOAD_QUERY = 18
TABLE_MAP = 19
WRITE_ROWS_V1, UPDATE_ROWS_V1, DELETE_ROWS_V1 = 23, 24, 25
INCIDENT = 26
HEARTBEAT = 27
IGNORABLE = 28
ROWS_QUERY = 29
WRITE_ROWS, UPDATE_ROWS, DELETE_ROWS = 30, 31, 32
GTID = 33
ANONYMOUS_GTID = 34
PREVIOUS_GTIDS = 35
TRANSACTION_CONTEXT = 36
VIEW_CHANGE = 37
XA_PREPARE = 38
PARTIAL_UPDATE_ROWS = 39
TRANSACTION_PAYLOAD = 40
HEARTBEAT_V2 = 41
GTID_TAGGED = 42

ANNOTATE_ROWS = 160
BINLOG_CHECKPOINT = 161
MARIADB_GTID = 162
GTID_LIST = 163
START_ENCRYPTION = 164
QUERY_COMPRESSED = 165
WRITE_ROWS_COMPRESSED_V1, UPDATE_ROWS_COMPRESSED_V1, DELETE_ROWS_COMPRESSED_V1 = 166, 167, 168
WRITE_ROWS_COMPRESSED, UPDATE_ROWS_COMPRESSED, DELETE_ROWS_COMPRESSED = 169, 170, 171

ARTIFICIAL_FLAG = 0x20
"""Of a header: the event is not in the log, the server made it for this session."""
IGNORABLE_FLAG = 0x80
"""Of a header: a reader that does not know the event's type skips it."""

PLAIN_OF = {
    QUERY_COMPRESSED: QUERY,
    WRITE_ROWS_COMPRESSED_V1: WRITE_ROWS_V1,
    UPDATE_ROWS_COMPRESSED_V1: UPDATE_ROWS_V1,
    DELETE_ROWS_COMPRESSED_V1: DELETE_ROWS_V1,
    WRITE_ROWS_COMPRESSED: WRITE_ROWS,
    UPDATE_ROWS_COMPRESSED: UPDATE_ROWS,
    DELETE_ROWS_COMPRESSED: DELETE_ROWS,
}
"""MariaDB's compressed events (`log_bin_compress`), and what each is once it is opened."""

OPERATIONS = {
    WRITE_ROWS_V1: "c",
    UPDATE_ROWS_V1: "u",
    DELETE_ROWS_V1: "d",
    WRITE_ROWS: "c",
    UPDATE_ROWS: "u",
    DELETE_ROWS: "d",
    PARTIAL_UPDATE_ROWS: "u",
}
"""The rows events, and what happened to their rows."""

ROWS = frozenset(OPERATIONS)
GTIDS = frozenset({GTID, ANONYMOUS_GTID, GTID_TAGGED, MARIADB_GTID})
"""Events that begin a transaction."""
STATEMENTS = frozenset({QUERY, EXECUTE_LOAD_QUERY})
"""Events that hold a statement; EXECUTE_LOAD_QUERY is a `LOAD DATA` that was logged as a statement."""
HEARTBEATS = frozenset({HEARTBEAT, HEARTBEAT_V2})

WITHOUT_CHANGES = frozenset(
    {
        STOP,
        INTVAR,
        SLAVE,
        APPEND_BLOCK,
        DELETE_FILE,
        RAND,
        USER_VAR,
        BEGIN_LOAD_QUERY,
        IGNORABLE,
        ROWS_QUERY,
        TRANSACTION_CONTEXT,
        VIEW_CHANGE,
        ANNOTATE_ROWS,
        BINLOG_CHECKPOINT,
    }
)
"""Events that change no row by themselves: they announce a statement that has an event of its own, or tell of the log.

INTVAR, RAND, USER_VAR, BEGIN_LOAD_QUERY and APPEND_BLOCK belong to a statement whose QUERY or EXECUTE_LOAD_QUERY
follows; ROWS_QUERY and ANNOTATE_ROWS hold the text of the statement whose rows follow.
"""

KNOWN = (
    ROWS
    | GTIDS
    | STATEMENTS
    | HEARTBEATS
    | WITHOUT_CHANGES
    | frozenset(PLAIN_OF)
    | {
        ROTATE,
        FORMAT_DESCRIPTION,
        XID,
        TABLE_MAP,
        INCIDENT,
        PREVIOUS_GTIDS,
        XA_PREPARE,
        TRANSACTION_PAYLOAD,
        GTID_LIST,
        START_ENCRYPTION,
    }
)
"""Events whose meaning is known; any other one without the ignorable flag is an error.

LOAD (6), CREATE_FILE (8), EXEC_LOAD (10), NEW_LOAD (12) and the rows events of before 5.1.16 (20 to 22) are none of
them: no server that is supported writes them, but a log may hold them if it came from an older one.
"""
