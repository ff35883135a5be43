"""Random transactions of both families, read with kills between every two steps, equal what a model expects."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_legacy_events.core.model.log import LogChunk, LogPosition, LogRows, LogTruncate, TableName
from airflow_legacy_events.databases.mysql.changelog.model import Effect
from airflow_legacy_events.databases.mysql.changelog.reader import BinlogReader
from tests.support import profile
from tests.support.scripted_binlog import MARIADB, MYSQL, ScriptedForms, ScriptedLog, access_to, gtid_name

EXAMPLES = 3000 if profile.LONG else 100
TRUNCATE = "TRUNCATE orders"
EFFECTS = {TRUNCATE: [Effect(TableName("shop", "orders"), "truncate")], "ALTER TABLE x": []}
Change = tuple[Any, ...]


@dataclass
class Model:
    """Writes a log, and knows which changes it holds."""

    log: ScriptedLog
    expected: list[Change] = field(default_factory=list)
    prepared: dict[bytes, list[Change]] = field(default_factory=dict)
    value: int = 0

    def statements(self, steps: list[Any]) -> list[Change]:
        found: list[Change] = []
        points: dict[str, int] = {}
        for step in steps:
            if step[0] == "rows":
                found += self._rows(*step[1:4], moves=step[4])
            elif step[0] == "savepoint":
                self.log.query(f"SAVEPOINT `{step[1]}`")
                points.pop(step[1], None)
                points[step[1]] = len(found)
            elif step[1] in points:
                self.log.query(f"ROLLBACK TO `{step[1]}`")
                del found[points[step[1]] :]
                names = list(points)  # the server forgets those that came later
                points = {name: points[name] for name in names[: names.index(step[1]) + 1]}
        return found

    def _rows(self, table: str, op: str, count: int, *, moves: bool) -> list[Change]:
        images, changes = [], []
        for _ in range(count):
            self.value += 1
            old, new = (self.value, self.value), (self.value + (1000 if moves else 0), self.value + 1)
            images += [old, new] if op == "u" else [old]
            if op == "u" and moves:
                changes += [("d", *old), ("c", *new)]
            else:
                changes.append((op, *(new if op == "u" else old)))
        self.log.rows(table, op, images)
        return [] if table == "other" else [(table, op_, str(id_), str(v)) for op_, id_, v in changes]

    def name(self, place: str) -> str:
        gtids = self.log.gtids or self.log.family == MARIADB
        return gtid_name(self.log.family, self.log.number) if gtids else place

    def expect(self, found: list[Change], place: str) -> None:
        name = self.name(place)
        self.expected += [(*change, name, number) for number, change in enumerate(found, start=1)]

    def run(self, kind: str, steps: list[Any], xid: bytes) -> None:
        log, place = self.log, self.log.end
        if kind in {"commit", "rollback"}:
            log.begin()
            found = self.statements(steps)
            (log.commit if kind == "commit" else log.rollback)()
            self.expect(found if kind == "commit" else [], place)
        elif kind in {"prepare", "one phase"} and xid not in self.prepared:
            log.begin_xa(xid)
            found = self.statements(steps)
            log.prepare_xa(xid, one_phase=kind == "one phase")
            if kind == "prepare":
                self.prepared[xid] = found
            else:
                self.expect(found, place)
        elif kind in {"xa commit", "xa rollback"} and xid in self.prepared:
            log.end_xa(xid, kind[3:].upper())
            found = self.prepared.pop(xid)
            self.expect(found if kind == "xa commit" else [], place)
        elif kind == "rotate":
            log.rotate()
        elif kind == "ddl":
            log.statement("ALTER TABLE x")
        elif kind == "truncate":
            log.statement(TRUNCATE)
            self.expect([("orders", "t", "", "")], place)


def delivered(chunk: LogChunk) -> list[Change]:
    found: list[Change] = []
    for part in chunk.parts:
        if isinstance(part, LogTruncate):
            found.append(("orders", "t", "", "", *part.hidden[:2]))
        elif isinstance(part, LogRows):
            name = part.form.table.name
            found += [(name, op, *row[:4]) for op, row in zip(part.ops, part.rows, strict=True)]
    return found


class Runs:
    """Runs over one log, each of which is killed; what they saved, and what they sent."""

    def __init__(self, model: Model, rows: int, most_bytes: int) -> None:
        self._log, self._rows, self._most = model.log, rows, most_bytes
        self.position = LogPosition("binlog.000001:4")
        self.facts: dict[str, Any] = {"gtids": ""} if model.log.gtids or model.log.family == MARIADB else {}
        self.saved: list[Change] = []
        self._sent: dict[Change, Change] = {}
        self.over = False

    def one(self, count: int, unsaved: bool) -> None:
        """Read so many chunks; the last one of them may be sent and not saved."""
        forms = ScriptedForms(["orders", "items"], EFFECTS)
        tables = list(forms.tables.values())
        reader = BinlogReader(access_to(self._log), forms, tables=tables, stored=self.facts, most_bytes=self._most)
        for number, chunk in enumerate(reader.read(self.position, self._log.end, self._rows), start=1):
            for change in delivered(chunk):
                assert self._sent.setdefault(change[4:], change) == change
            if number == count and unsaved:
                return
            self.saved += delivered(chunk)
            self.position, self.over = LogPosition(*json.loads(json.dumps(chunk.end))), chunk.final
            self.facts = json.loads(json.dumps({**self.facts, **chunk.facts}))
            if number == count:
                return


STEP = st.one_of(
    st.builds(
        lambda table, op, count, moves: ("rows", table, op, count, moves),
        st.sampled_from(["orders", "items", "other"]),
        st.sampled_from("cud"),
        st.integers(1, 3),
        st.booleans(),
    ),
    st.tuples(st.sampled_from(["savepoint", "back"]), st.sampled_from("ab")),
)
KINDS = ["commit", "commit", "rollback", "prepare", "one phase", "xa commit", "xa rollback"]
RUN = st.tuples(
    st.sampled_from([*KINDS, "rotate", "ddl", "truncate"]),
    st.lists(STEP, max_size=6),
    st.sampled_from([b"x", b"y"]),
)


@given(
    family=st.sampled_from([MARIADB, MYSQL]),
    gtids=st.sampled_from([True, False, None]),
    runs=st.lists(RUN, min_size=1, max_size=8),
    rows=st.integers(1, 4),
    most_bytes=st.sampled_from([0, 60, 2**24]),
    kills=st.lists(st.tuples(st.integers(1, 3), st.booleans()), max_size=30),
)
@settings(max_examples=EXAMPLES, deadline=None)
def test_changes_equal_a_models_whatever_is_killed(
    family: str, gtids: bool | None, runs: list[Any], rows: int, most_bytes: int, kills: list[Any]
) -> None:
    model = Model(ScriptedLog(family, gtids=gtids))
    for kind, steps, xid in runs:
        model.run(kind, steps, xid)
    run = Runs(model, rows, most_bytes)
    while not run.over:
        run.one(*(kills.pop(0) if kills else (1000, False)))
    for name in ("orders", "items"):
        assert [one for one in run.saved if one[0] == name] == [one for one in model.expected if one[0] == name]
    assert len(run.saved) == len(model.expected)
    assert run.facts["prepared"].keys() == {f"X'{xid.hex()}',X'',1" for xid in model.prepared}
