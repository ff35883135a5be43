"""What keeps a given publication from being read: it must publish every change of every row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model.log import TableName
from airflow_legacy_events.core.ports import LogOptions
from airflow_legacy_events.databases.postgres.catalog import quoted
from airflow_legacy_events.databases.postgres.changelog.publication import Publication
from airflow_legacy_events.databases.postgres.changelog.settings import Settings

_ALL = "publish = 'insert, update, delete, truncate'"


def faults_of_given(
    options: LogOptions,
    tables: Sequence[TableName],
    found: Publication | None,
    oids: Mapping[TableName, int],
    server: Settings,
) -> Iterator[ConfigurationError]:
    """Yield why a publication that is never changed here, since it was given or the server is a standby, can't be read.

    Args:
        options: of the stream.
        tables: to read.
        found: the publication; None if there is none.
        oids: of the tables.
        server: settings of the server.
    """
    name, where = (
        quoted(None, options.publication or ""),
        "on the primary" if server.standby else "as owner of the tables",
    )
    if found is None:
        listed = " FOR TABLE " + ", ".join(quoted(*one) for one in tables) if tables else ""
        yield ConfigurationError(
            f"publication {options.publication!r} is not in database {server.database}; run the statement below {where}"
            f"\nCREATE PUBLICATION {name}{listed}"
        )
        return
    if found.missing:
        yield ConfigurationError(
            f"publication {found.name!r} leaves out every {', '.join(found.missing)}, which would be lost; run the"
            " statement"
            f" below {where}\nALTER PUBLICATION {name} SET ({_ALL})"
        )
    for table in tables:
        if not found.holds(oids[table]):
            yield ConfigurationError(
                f"table {str(table)!r} is not in publication {found.name!r}; run the statement below {where}"
                f"\nALTER PUBLICATION {name} ADD TABLE {quoted(*table)}"
            )
    yield from narrowed(found, oids, where)


def narrowed(found: Publication, oids: Mapping[TableName, int], where: str) -> Iterator[ConfigurationError]:
    """Yield which tables have a row filter or a column list in a publication.

    Args:
        found: the publication.
        oids: of the tables.
        where: who runs the statements that fix it.
    """
    name = quoted(None, found.name)
    for table, oid in oids.items():
        member, spelled = found.members.get(oid), quoted(*table)
        if member is not None and (member.filter or member.columns):
            what = (
                f"the row filter {member.filter}" if member.filter else f"the column list ({', '.join(member.columns)})"
            )
            yield ConfigurationError(
                f"table {str(table)!r} has {what} in publication {found.name!r}: an UPDATE out of it would look like a"
                f" DELETE, and a snapshot reads everything. Run the statements below {where}"
                f"\nALTER PUBLICATION {name} DROP TABLE {spelled}\nALTER PUBLICATION {name} ADD TABLE {spelled}"
            )


def warnings_of_given(found: Publication) -> Iterator[str]:
    """Yield what a user should know of a given publication."""
    if found.all_tables or found.by_schema:
        what = "FOR ALL TABLES" if found.all_tables else "FOR TABLES IN SCHEMA"
        yield (
            f"publication {found.name!r} is {what}: UPDATE and DELETE of a new table without primary key will"
            " fail"
            " until it has a replica identity"
        )
    if found.by_root:
        yield (
            f"publication {found.name!r} has publish_via_partition_root: a TRUNCATE of a single partition, and an"
            " attached"
            " or detached one, are in no change. ALTER PUBLICATION … SET (publish_via_partition_root = false) sends"
            " them"
        )
