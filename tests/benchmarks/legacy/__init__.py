"""The legacy databases that are measured, each in a file of its own."""

from __future__ import annotations

from collections.abc import Callable

from tests.benchmarks.legacy.base import Legacy
from tests.benchmarks.legacy.mariadb import MariaDBLegacy
from tests.benchmarks.legacy.postgres import PostgresLegacy
from tests.benchmarks.legacy.sqlite import SqliteLegacy

DATABASES: dict[str, Callable[[], Legacy]] = {
    "postgres": PostgresLegacy,
    "mariadb": MariaDBLegacy,
    "sqlite": SqliteLegacy,
}
