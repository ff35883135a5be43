"""SQL for the open writers of a PostgreSQL table.

One scan of `pg_locks` shows fast-path locks first and all others afterwards, so a transaction that is prepared
meanwhile appears at least once. Within a transaction `pg_stat_activity` stays as it was first read, `pg_locks` doesn't:
reading them in this order finds a session that is prepared in between under one of its two forms.
"""

from __future__ import annotations

from psycopg import sql

from airflow_legacy_events.databases.postgres.ours import OURS

_DUMP = "pg_dump"
_FIRST_OF_USERS = 16_384
"""First oid of user-defined objects; catalog changes lock the others."""

_HERE = sql.SQL("""(SELECT oid FROM pg_catalog.pg_database
                     WHERE datname OPERATOR(pg_catalog.=) pg_catalog.current_database())""")

# Sequences: of identity columns, owned ones, and those that a default names.
_BELOW = sql.SQL("""
WITH RECURSIVE tree (oid) AS (
  SELECT {table}
  UNION
  SELECT inhrelid FROM tree JOIN pg_catalog.pg_inherits AS i ON i.inhparent OPERATOR(pg_catalog.=) tree.oid
), written AS (
  SELECT oid FROM tree
  UNION
  SELECT d.refobjid FROM tree JOIN pg_catalog.pg_attrdef AS a ON a.adrelid OPERATOR(pg_catalog.=) tree.oid
    JOIN pg_catalog.pg_depend AS d ON d.objid OPERATOR(pg_catalog.=) a.oid
   WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_attrdef'::pg_catalog.regclass
     AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
  UNION
  SELECT d.objid FROM tree JOIN pg_catalog.pg_depend AS d ON d.refobjid OPERATOR(pg_catalog.=) tree.oid
    JOIN pg_catalog.pg_sequence AS s ON s.seqrelid OPERATOR(pg_catalog.=) d.objid
   WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
     AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
     AND d.deptype OPERATOR(pg_catalog.=) ANY ('{{a,i}}'::pg_catalog."char"[])
), """)
_LOCKS = sql.SQL("""
locks AS MATERIALIZED (
  SELECT locktype, virtualtransaction, transactionid::pg_catalog.text AS xid, pid, granted,
         coalesce(mode OPERATOR(pg_catalog.=) 'RowExclusiveLock' AND {writes}
                  AND database OPERATOR(pg_catalog.=) {here}, false) AS writing
    FROM pg_catalog.pg_locks
   WHERE coalesce(pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid(), true)
), prepared AS (
  SELECT virtualtransaction, xid FROM locks
   WHERE pid IS NULL AND locktype OPERATOR(pg_catalog.=) 'transactionid' AND granted
), found AS ({found})
SELECT f.virtualtransaction, f.pid, f.xid, coalesce(a.usename, p.owner)::pg_catalog.text,
       coalesce(a.datname, p.database)::pg_catalog.text, a.query_start, p.gid, f.writing
  FROM found AS f LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid OPERATOR(pg_catalog.=) f.pid
  LEFT JOIN pg_catalog.pg_prepared_xacts AS p ON p.transaction::pg_catalog.text OPERATOR(pg_catalog.=) f.xid
""")
_IN_TABLE = sql.SQL("relation OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT oid FROM written))")
_ANYWHERE = sql.SQL("relation OPERATOR(pg_catalog.>=) {}::pg_catalog.oid").format(_FIRST_OF_USERS)

# To a user who may see little, no session has a type; an autovacuum worker is then one without a user.
_CLEANS = sql.SQL("""coalesce(a.backend_type OPERATOR(pg_catalog.=) 'autovacuum worker',
                              a.usesysid IS NULL)""")
_READS = sql.SQL("""(pg_catalog.starts_with(a.application_name, {ours})
                     OR a.application_name OPERATOR(pg_catalog.=) {dump})""").format(ours=OURS, dump=_DUMP)
_OTHER = sql.SQL("""a.datid OPERATOR(pg_catalog.=) {here}
     AND a.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()
     AND NOT {cleans} AND NOT coalesce({reads}, false) AND NOT pg_catalog.pg_is_in_recovery()
""").format(here=_HERE, cleans=_CLEANS, reads=_READS)

_WRITING = sql.SQL("""
  SELECT DISTINCT l.virtualtransaction, l.pid, x.xid, true AS writing
    FROM locks AS l LEFT JOIN prepared AS x
      ON l.pid IS NULL AND x.virtualtransaction OPERATOR(pg_catalog.=) l.virtualtransaction
   WHERE l.writing AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity AS a
                                    WHERE a.pid OPERATOR(pg_catalog.=) l.pid AND {cleans})
""").format(cleans=_CLEANS)
# A session may keep its times to itself (track_activities), a sender of replication always does, or this user may not
# see them: then it is waited for. While a sender decodes a transaction it has one of its own, and can't write.
_UNTIMED = sql.SQL("""
  SELECT DISTINCT l.virtualtransaction, l.pid, x.xid, true AS writing
    FROM locks AS l LEFT JOIN prepared AS x
      ON l.pid IS NULL AND x.virtualtransaction OPERATOR(pg_catalog.=) l.virtualtransaction
   WHERE l.writing AND (l.pid IS NULL OR EXISTS (SELECT FROM pg_catalog.pg_stat_activity AS a
                                                  WHERE a.pid OPERATOR(pg_catalog.=) l.pid AND {reads}))
   UNION
  SELECT l.virtualtransaction, l.pid, NULL, {alone}
    FROM locks AS l JOIN pg_catalog.pg_stat_activity AS a ON a.pid OPERATOR(pg_catalog.=) l.pid
   WHERE l.locktype OPERATOR(pg_catalog.=) 'virtualxid' AND l.granted AND a.xact_start IS NULL
     AND coalesce(a.state OPERATOR(pg_catalog.<>) 'idle', true)
     AND NOT coalesce(a.backend_type OPERATOR(pg_catalog.=) 'walsender' AND pg_catalog.starts_with(
                        pg_catalog.upper(a.query), 'START_REPLICATION'), false) AND {other}
""")
_REMAINING = sql.SQL("""
  SELECT l.virtualtransaction, l.pid, l.xid,
         EXISTS (SELECT FROM locks AS w WHERE w.writing AND w.pid IS NULL
                   AND w.virtualtransaction OPERATOR(pg_catalog.=) l.virtualtransaction) AS writing
    FROM locks AS l
   WHERE l.granted AND CASE WHEN l.pid IS NULL THEN l.locktype OPERATOR(pg_catalog.=) 'transactionid'
                            ELSE l.locktype OPERATOR(pg_catalog.=) 'virtualxid'
                             AND l.pid OPERATOR(pg_catalog.=) ANY ({pids}::pg_catalog.int4[]) END
""")
FRESH = "SELECT pg_catalog.pg_stat_clear_snapshot()"
"""Makes the next look at `pg_stat_activity` a new one, even inside a transaction."""

# The clock is that of the statement's arrival, before anything is looked at. What a standby has not replayed yet has
# the time of its primary's last commit there, or a later one.
CLOCK = """
SELECT pg_catalog.statement_timestamp(),
       CASE WHEN pg_catalog.pg_is_in_recovery()
             AND coalesce(pg_catalog.pg_last_wal_receive_lsn() OPERATOR(pg_catalog.<>)
                          pg_catalog.pg_last_wal_replay_lsn(), true)
            THEN pg_catalog.pg_last_xact_replay_timestamp() END
"""
# After a COMMIT inside of CALL or DO, a session has no transaction for a moment, and statement_timestamp() stays that
# of its CALL. A sender of replication is active without a transaction for days.
OLDEST = sql.SQL("""
SELECT least(a.xact_start, a.query_start), a.pid, a.usename::pg_catalog.text, a.datname::pg_catalog.text, a.query_start
  FROM pg_catalog.pg_stat_activity AS a
 WHERE {other}
   AND (a.xact_start IS NOT NULL
        OR a.backend_type OPERATOR(pg_catalog.=) 'client backend'
           AND a.state OPERATOR(pg_catalog.=) ANY ('{{active,fastpath function call}}'::pg_catalog.text[]))
 ORDER BY 1 LIMIT 1
""").format(other=_OTHER)


def writing(table: sql.Composable | None) -> sql.Composable:
    """Return the SELECT of the transactions that hold or await a lock to write.

    Args:
        table: expression of its oid; its partitions, children and sequences count too. None: any table.
    """
    return _over(table, _WRITING)


def untimed(table: sql.Composable | None, *, follow: bool) -> sql.Composable:
    """Return the SELECT of the open transactions whose begin is not known.

    Args:
        table: as in `writing`.
        follow: whether later transactions of the same session may belong to the same statement.
    """
    return _over(table, _UNTIMED.format(reads=_READS, other=_OTHER, alone=not follow))


def still_open(table: sql.Composable | None, pids: list[int]) -> sql.Composable:
    """Return the SELECT of the local transactions of these processes, and of all prepared ones."""
    return _over(table, _REMAINING.format(pids=f"{{{','.join(map(str, pids))}}}"))


def _over(table: sql.Composable | None, found: sql.Composable) -> sql.Composable:
    begin = sql.SQL("WITH ") if table is None else _BELOW.format(table=table)
    writes = _ANYWHERE if table is None else _IN_TABLE
    return begin + _LOCKS.format(writes=writes, here=_HERE, found=found)
