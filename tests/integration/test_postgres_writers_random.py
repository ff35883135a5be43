"""Sessions write at random beside looks: no row appears below a mark once its set has ended."""

from __future__ import annotations

import itertools
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.engines import of
from tests.support.legacy import reused_database
from tests.support.open_writers import session, writers_of
from tests.support.profile import LONG

LOOKS = 600 if LONG else 40
SESSIONS = 6
INSERT = "INSERT INTO t (k) VALUES ({})"
WRITES = (
    "BEGIN; {insert}; COMMIT",
    "BEGIN; SELECT nextval('t_id_seq'), pg_sleep({pause}); {insert}; COMMIT",
    "BEGIN; SELECT pg_sleep({pause}); {insert}; {insert}; ROLLBACK",
    "BEGIN; SAVEPOINT s; {insert}; SELECT pg_sleep({pause}); ROLLBACK TO s; {insert}; COMMIT",
    "BEGIN; UPDATE t SET at = now(), id = DEFAULT WHERE k = {own}; SELECT pg_sleep({pause}); COMMIT",
    "BEGIN; {insert}; SELECT pg_sleep({pause}); PREPARE TRANSACTION '{gid}'",
    "{insert}",
)
OLDER = (
    "CALL several({own}, {pause})",
    "BEGIN; {insert}; COMMIT; BEGIN; SELECT pg_sleep({pause}); {insert}; COMMIT",
)
"""Statements of several transactions, whose rows have a time before the begin of their transaction."""
TABLES = """
CREATE TABLE t (id bigserial PRIMARY KEY, k int, at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON t (k);
CREATE TABLE versions (id bigint, at timestamptz);
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN INSERT INTO versions VALUES (NEW.id, NEW.at); RETURN NULL; END';
CREATE TRIGGER keeps AFTER INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION keep();
CREATE PROCEDURE several(own int, pause float) LANGUAGE plpgsql AS $$
BEGIN
  FOR n IN 1..3 LOOP
    INSERT INTO t (k, at) VALUES (own, statement_timestamp());
    COMMIT;
    PERFORM pg_sleep(pause);
  END LOOP;
END $$
"""


@pytest.fixture(params=of("postgresql", also=("postgresql-15",) if LONG else ()))
def legacy(request):
    with reused_database(request, request.param) as found:
        found.execute(TABLES)
        yield found


def write(legacy, seed, writes, over):
    """Write at random until it is over; each session updates rows of its own, and rests in between."""
    choose = random.Random(seed)
    with session(legacy, "-c track_activities=off" if writes is WRITES else "") as own:
        for number in itertools.count():
            if over.wait(choose.random() ** 3 / 50):
                return
            gid = f"{legacy.url.database} {seed} {number}"
            values = {"insert": INSERT.format(seed), "own": seed, "gid": gid, "pause": choose.random() ** 3 / 20}
            statement = choose.choice(writes).format(**values)
            own.execute(statement)
            if "PREPARE" in statement:
                own.execute(f"{choose.choice(['COMMIT', 'ROLLBACK'])} PREPARED '{gid}'")


def look(legacy, writers, column):
    """Take a mark and wait for its set; return what counts the versions below it, and what it counts then."""
    condition, mark = "at < %s", None
    if column == "id":
        condition, [(mark,)] = "id <= %s", legacy.execute("SELECT coalesce(max(id), 0) FROM t")
    found = writers.look()
    open_ = found.open
    while open_ := writers.remaining(open_, found.server) if open_ else {}:
        pass
    counting = f"SELECT count(*), sum(id) FROM versions WHERE {condition}", found.before or mark
    return counting, legacy.execute(*counting)


CASES = {
    "seen": ("now()", "pg_read_all_stats", (WRITES, WRITES + OLDER)),
    "unseen": ("now()", None, (WRITES,)),
    "unseen statements": ("statement_timestamp()", None, (WRITES + OLDER,)),
}


@pytest.mark.parametrize("case", CASES if LONG else ["seen", "unseen"])
def test_no_row_appears_below_a_mark_whose_set_has_ended(legacy, case):
    default, rights, writes = CASES[case]
    legacy.execute(f"ALTER TABLE t ALTER COLUMN at SET DEFAULT {default}")
    user = f"reader in {legacy.url.database}"
    legacy.execute(f'CREATE ROLE "{user}" LOGIN; GRANT USAGE ON SCHEMA public TO "{user}"')
    legacy.execute(f'GRANT SELECT ON t TO "{user}"')
    if rights:
        legacy.execute(f'GRANT {rights} TO "{user}"')
    over = threading.Event()
    try:
        with (
            writers_of(legacy, "id", username=user) as ids,
            writers_of(legacy, "at", username=user) as times,
            ThreadPoolExecutor(SESSIONS) as pool,
        ):
            sessions = [pool.submit(write, legacy, n, writes[n % len(writes)], over) for n in range(SESSIONS)]
            try:
                seen = [look(legacy, *one) for _ in range(LOOKS // 2) for one in ((ids, "id"), (times, "at"))]
            finally:
                over.set()
            for one in sessions:
                one.result()
        assert len({mark for (_, mark), _ in seen}) > LOOKS / 3
        assert [(counting, legacy.execute(*counting)) for counting, _ in seen] == seen
    finally:
        legacy.execute(f'DROP OWNED BY "{user}"; DROP ROLE "{user}"')
