"""Check of everything that reading a change log needs: settings, rights and tables, all faults at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model.log import TableName
from airflow_legacy_events.core.ports import LogOptions, LogTable
from airflow_legacy_events.core.problems import Problems
from airflow_legacy_events.databases.postgres.catalog import quoted
from airflow_legacy_events.databases.postgres.changelog import identity, settings
from airflow_legacy_events.databases.postgres.changelog.naming import refuse_slot
from airflow_legacy_events.databases.postgres.changelog.publication import GENERATED_SINCE, Publication
from airflow_legacy_events.databases.postgres.changelog.publication_faults import faults_of_given, narrowed
from airflow_legacy_events.databases.postgres.changelog.session import LogSession
from airflow_legacy_events.databases.postgres.changelog.settings import Settings
from airflow_legacy_events.databases.postgres.changelog.slot import Slot

_OWNERS = """
SELECT c.oid::int8, pg_has_role(c.relowner, 'USAGE'), quote_ident(pg_get_userbyid(c.relowner))
  FROM pg_class AS c WHERE c.oid = ANY (%s::oid[])
"""


class Server(NamedTuple):
    """What is there before a run.

    Attributes:
        settings: of the server.
        slot: None if it has none of the stream's name.
        publication: None if it has none of the stream's name.
        oids: of the tables.
    """

    settings: Settings
    slot: Slot | None
    publication: Publication | None
    oids: Mapping[TableName, int]


def check(
    session: LogSession, options: LogOptions, tables: Sequence[LogTable], server: Server, problems: Problems
) -> None:
    """Collect every fault, each with the SQL that fixes it; nothing is made or changed."""
    with problems.collect():
        refuse_slot(options.slot or "")
    version, found = session.version, server.settings
    _collect(problems, settings.faults(found, version, options.interval_seconds, makes_slot=server.slot is None))
    owners = {row[0]: row[1:] for row in session.ask("looking at the tables", _OWNERS, (list(server.oids.values()),))}
    identities = identity.find_identities(session, list(server.oids.values()))
    stored = version >= GENERATED_SINCE and (server.publication is None or server.publication.generated == "s")
    name = quoted(None, options.publication or "")
    for table in tables:
        oid = server.oids[table.name]
        _collect(problems, identity.faults(session, table, oid, identities, stored=stored, publication=name))
        _collect(problems, _hidden(table))
    if options.given or found.standby:
        _collect(
            problems, faults_of_given(options, [one.name for one in tables], server.publication, server.oids, found)
        )
    else:
        _collect(problems, _not_ours(options, tables, server, {oid: row[:2] for oid, row in owners.items()}))


def _collect(problems: Problems, found: Iterator[ConfigurationError]) -> None:
    for one in found:
        with problems.collect():
            raise one


def _hidden(table: LogTable) -> Iterator[ConfigurationError]:
    """Yield what the log would show although the user may not read it: REPLICATION needs no SELECT."""
    withheld = table.reflection.withheld
    if missing := [name for name in withheld.names if name not in table.excluded]:
        yield ConfigurationError(
            f"table {str(table.name)!r}: this user may not read column {', '.join(map(repr, missing))}, which the log"
            " would"
            " show. Leave it out with exclude_columns=, or run the GRANT below"
            f"\n{withheld.grant(missing)}"
        )


def _not_ours(
    options: LogOptions, tables: Sequence[LogTable], server: Server, owners: Mapping[int, tuple[bool, str]]
) -> Iterator[ConfigurationError]:
    """Yield what keeps our publication from being made, or from taking a table."""
    found, publication, name = server.settings, server.publication, quoted(None, options.publication or "")
    new = [one for one in tables if publication is None or not publication.holds(server.oids[one.name])]
    if publication is None and not found.may_create:
        yield ConfigurationError(
            f"user {found.user} may not make a publication in database {found.database}; let an owner of the tables"
            " make"
            f" one and give it with publication=, or run the GRANT below\nGRANT CREATE ON DATABASE {found.database} TO"
            f" {found.user}"
        )
    if publication is not None and new and not publication.owned:
        yield ConfigurationError(
            f"user {found.user} may not add tables to publication {options.publication!r}, which {publication.owner}"
            " owns"
            f"\nALTER PUBLICATION {name} OWNER TO {found.user}"
        )
    if publication is not None:
        yield from narrowed(publication, server.oids, "as its owner")
    for owner in sorted({owners[server.oids[one.name]][1] for one in new if not owners[server.oids[one.name]][0]}):
        theirs = [str(one.name) for one in new if owners[server.oids[one.name]][1] == owner]
        yield ConfigurationError(
            f"user {found.user} may not publish {', '.join(theirs)}: only an owner may. Let {owner} make a"
            " publication and"
            f" give it with publication=, or run the GRANT below\nGRANT {owner} TO {found.user}"
        )
