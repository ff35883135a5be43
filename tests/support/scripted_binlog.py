"""A binlog written event by event, and a dump and forms over it that pass for the real ones."""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.core.model.log import LogForm, TableName
from airflow_legacy_events.databases.mysql.changelog.binlog import codes
from airflow_legacy_events.databases.mysql.changelog.model import (
    BinlogAccess,
    BinlogPlace,
    Effect,
    Event,
    ReadTable,
    Row,
    RowsEvent,
    TableMap,
)
from airflow_legacy_events.databases.mysql.changelog.torn_file import TornFileError
from airflow_legacy_events.databases.mysql.changelog.transactions.torn import next_file

SERVER = UUID("3e11fa47-71ca-11e1-9e33-c80aa9429562")
HEADER = 19
MARIADB, MYSQL = "mariadb", "mysql"
FLAGS = {"standalone": 1, "prepared": 64, "completed": 128}
END, CURRENT = 2, "2038-01-19 03:14:07.999999+00"
KINDS = {"c": codes.WRITE_ROWS, "u": codes.UPDATE_ROWS, "d": codes.DELETE_ROWS}


def gtid_name(family: str, number: int) -> str:
    """The name of a transaction of this log."""
    return f"0-1-{number}" if family == MARIADB else f"{SERVER}:{number}"


@dataclass
class ScriptedLog:
    """Events in files; `torn` files end inside of an event; with None for `gtids` MySQL's are anonymous."""

    family: str
    gtids: bool | None = True
    files: dict[str, list[Event]] = field(default_factory=dict)
    torn: set[str] = field(default_factory=set)
    number: int = 0
    executed: int = 0
    time: int = 1_790_000_000

    def __post_init__(self) -> None:
        self.begin_file("binlog.000001")

    def begin_file(self, name: str) -> None:
        self.file, self.at = name, 4
        self.files[name] = []
        self.add(codes.FORMAT_DESCRIPTION, b"\0" * 80)
        if self.family == MARIADB:
            count = 1 if self.executed else 0
            one = struct.pack("<IIQ", 0, 1, self.executed) if count else b""
            self.add(codes.GTID_LIST, struct.pack("<I", count) + one)
        else:
            count = 1 if self.executed else 0
            one = SERVER.bytes + struct.pack("<QQQ", 1, 1, self.executed + 1) if count else b""
            self.add(codes.PREVIOUS_GTIDS, struct.pack("<Q", count) + one)

    def rotate(self) -> None:
        following = next_file(self.file)
        self.add(codes.ROTATE, struct.pack("<Q", 4) + following.encode())
        self.begin_file(following)

    def purge(self, name: str) -> None:
        del self.files[name]

    @property
    def place(self) -> BinlogPlace:
        return BinlogPlace(self.file, self.at)

    @property
    def end(self) -> str:
        return f"{self.file}:{self.at}"

    def add(self, kind: int, body: bytes) -> None:
        start, self.at = self.at, self.at + HEADER + len(body)
        self.files[self.file].append(Event(kind, self.time, 1, 0, self.file, start, self.at, body))

    def gtid(self, flag: str | None = None, xid: bytes = b"") -> None:
        self.number += 1
        if self.family == MARIADB:
            flags = FLAGS.get(flag or "", 0)
            name = struct.pack("<iBB", 1, len(xid), 0) + xid if flag in {"prepared", "completed"} else b""
            self.add(codes.MARIADB_GTID, struct.pack("<QIB", self.number, 0, flags) + name + b"\0" * 6)
        elif self.gtids is not False:
            kind = codes.GTID if self.gtids else codes.ANONYMOUS_GTID
            times = b"\2" + b"\0" * 16 + (self.time * 1_000_000 + self.number).to_bytes(7, "little")
            self.add(kind, b"\0" + SERVER.bytes + struct.pack("<Q", self.number) + times)

    def query(self, statement: str, database: str = "shop", thread: int = 7) -> None:
        head = struct.pack("<IIBHH", thread, 0, len(database), 0, 0)
        self.add(codes.QUERY, head + database.encode() + b"\0" + statement.encode())

    def begin(self) -> None:
        """Begin a transaction."""
        self.gtid()
        if self.family == MYSQL:
            self.query("BEGIN")

    def commit(self) -> None:
        self.executed = self.number
        self.add(codes.XID, struct.pack("<Q", 100 + self.number))

    def rollback(self) -> None:
        self.executed = self.number
        self.query("ROLLBACK")

    def statement(self, text: str) -> None:
        """A statement that commits by itself."""
        self.gtid("standalone")
        self.query(text)
        self.executed = self.number

    def two_phase(self, part: str, text: str) -> None:
        """An ALTER that MariaDB logs in two parts."""
        self.number += 1
        more = {"start": 2, "commit": 4, "rollback": 8}[part]
        number = b"" if part == "start" else struct.pack("<Q", self.number - 1)
        self.add(codes.MARIADB_GTID, struct.pack("<QIBB", self.number, 0, 1, more) + number)
        self.query(text)
        self.executed = self.number

    def begin_xa(self, xid: bytes) -> None:
        self.gtid("prepared", xid)
        if self.family == MYSQL:
            self.query(f"XA START X'{xid.hex()}',X'',1")

    def prepare_xa(self, xid: bytes, *, one_phase: bool = False) -> None:
        if one_phase and self.family == MARIADB:
            self.commit()
            return
        self.query(f"XA END X'{xid.hex()}',X'',1")
        self.executed = self.number
        self.add(codes.XA_PREPARE, struct.pack("<BiII", one_phase, 1, len(xid), 0) + xid)

    def end_xa(self, xid: bytes, word: str) -> None:
        self.gtid("completed", xid)
        self.query(f"XA {word} X'{xid.hex()}',X'',1")
        self.executed = self.number

    def rows(self, table: str, op: str, images: Sequence[tuple[int | None, ...]], *, whole: bool = True) -> None:
        """A statement that changes rows of `shop.<table>`: a table map, and a rows event."""
        number = sum(table.encode()) % 200 + 1
        id_ = number.to_bytes(6, "little")
        width = len(images[0])
        name = table.encode()
        columns = bytes([width]) + b"\3" * width + b"\0" + b"\xff"
        self.add(codes.TABLE_MAP, id_ + b"\1\0\4shop\0" + bytes([len(name)]) + name + b"\0" + columns)
        bits = bytes([2**width - 1 if whole else 1])
        head = id_ + b"\1\0\2\0" + bytes([width]) + bits * (2 if op == "u" else 1)
        self.add(KINDS[op], head + b"".join(map(_image, images)))

    def dump(self) -> ScriptedDump:
        return ScriptedDump(self)


def _image(values: Sequence[int | None]) -> bytes:
    nulls = sum(1 << at for at, value in enumerate(values) if value is None)
    return bytes([nulls]) + b"".join(struct.pack("<i", value) for value in values if value is not None)


class ScriptedDump:
    """Passes for a session that streams the log; counts how many began."""

    begun = 0

    def __init__(self, log: ScriptedLog) -> None:
        self._log, self.closed = log, False

    def events(self, place: BinlogPlace) -> Iterator[Event]:
        type(self).begun += 1
        name, position = place
        if name not in self._log.files:
            error = SourceError(f"{name} is purged")
            error.retry_helps = False
            raise error
        while name in self._log.files:
            for event in self._log.files[name]:
                if event.start >= position:
                    yield event
            if name in self._log.torn:
                raise TornFileError(f"file {name} ends inside of an event", BinlogPlace(name, 0))
            name, position = next_file(name), 4

    def close(self) -> None:
        self.closed = True


class ScriptedReader:
    """Reads the images of integers."""

    def __init__(self, width: int) -> None:
        self._width = width

    def images(self, event: RowsEvent, old: tuple[int, ...] | None = None) -> list[Row]:
        found, at, body = [], event.at, event.body
        while at < len(body):
            nulls, at = body[at], at + 1
            row: list[str | None] = []
            for place in range(self._width):
                if nulls >> place & 1:
                    row.append(None)
                    continue
                row.append(str(struct.unpack_from("<i", body, at)[0]))
                at += 4
            if self._width > END:
                row[END] = CURRENT if row[END] == "1" else "2026-01-01 00:00:00.000000+00"
            is_light = old is not None and event.op == "u" and not len(found) % 2
            found.append(tuple(None if is_light and place not in (old or ()) else one for place, one in enumerate(row)))
        return found


class ScriptedForms:
    """Passes for what is known of the tables: `id` is the key of each."""

    def __init__(
        self, tables: Sequence[str], effects: Mapping[str, Sequence[Effect]] | None = None, key: int = 0
    ) -> None:
        self._key = key
        self.tables = {("shop", one): TableName("shop", one) for one in tables}
        self.found: dict[TableName, ReadTable] = {}
        self._effects = effects or {}
        self.seen: list[str] = []

    def wanted(self, database: str, table: str) -> TableName | None:
        return self.tables.get((database, table))

    def of(self, map_: TableMap, where: BinlogPlace) -> ReadTable:
        name = self.tables[map_.database, map_.table]
        if name not in self.found:
            columns = tuple(Column(one, Kind.INTEGER, "int", nullable=one != "id") for one in ("id", "v"))
            form = LogForm(name, columns, ("id", "v"))
            width = len(map_.types)
            self.found[name] = ReadTable(form, ScriptedReader(width), (self._key,), 2 if width > 2 else None)
        return self.found[name]

    def effects(self, statement: str, database: str, where: BinlogPlace, **how: Any) -> Sequence[Effect]:
        self.seen.append(statement)
        return self._effects.get(statement, ())

    def facts(self) -> Mapping[str, Any]:
        return {}


def access_to(log: ScriptedLog, *, max_row_bytes: int = 2**24, seconds: float = 0.2) -> BinlogAccess:
    """Ways into the log alone."""
    return BinlogAccess(
        "legacy",
        log.dump,
        lambda *_: [],
        nullcontext,
        lambda *_: [],
        seconds,
        max_row_bytes,
        logging.getLogger("test_transactions"),
    )
