"""Guard of the publication: whether it published everything since a watermark."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.core.model.log import TableName
from airflow_legacy_events.databases.postgres.catalog import quoted
from airflow_legacy_events.databases.postgres.changelog.publication import Publication
from airflow_legacy_events.databases.postgres.changelog.there import There

_READ_ANEW = 'un the task once with the configuration {{"snapshot": [{}]}}, which reads the table again'


def same_publication(
    there: There, before: Mapping[str, Any], renewed: Collection[TableName]
) -> Iterator[WatermarkError]:
    """Yield what a publication may have left out since a watermark.

    Args:
        there: what the server has.
        before: the watermark's facts of the publication; what they don't hold is not compared.
        renewed: tables that are read again.
    """
    name, publication = repr(there.publication_name), there.publication
    if publication is None:
        yield WatermarkError(
            f"publication {name} is gone, and is not made again by itself: changes that were decoded without it are"
            " lost"
            f"\n{there.anew}"
        )
        return
    if "oid" not in before:
        return
    if before["oid"] != publication.oid:
        yield WatermarkError(
            f"publication {name} was dropped and made again (oid {publication.oid}, the watermark has {before['oid']}):"
            f" changes in between are lost, deletes among them\n{there.anew}"
        )
        return
    changed = {
        flag: before[flag] for flag, now in publication.flags().items() if flag in before and before[flag] != now
    }
    if changed:
        yield WatermarkError(
            f"publication {name} was altered: {', '.join(sorted(changed))}; what was changed under the new setting"
            " may be"
            f" lost. Set it back; if rows may have changed meanwhile, read the tables again\n{_set_back(there, before)}"
        )
    for table, stored in (before.get("members") or {}).items():
        yield from _same_member(there, publication, table, stored, {str(one) for one in renewed})


def _same_member(
    there: There, publication: Publication, table: str, stored: Mapping[str, Any], renewed: Collection[str]
) -> Iterator[WatermarkError]:
    name = next((name for name in there.tables if str(name) == table), None)
    if name is None:
        return
    oid, spelled = there.tables[name], quoted(*name)
    anew = _READ_ANEW.format(f'"{table}"')
    if not publication.holds(oid):
        yield WatermarkError(
            f"table {table!r} is no longer in publication {publication.name!r}: its changes since are lost, deletes"
            f" among them\nALTER PUBLICATION {quoted(None, publication.name)} ADD TABLE {spelled}\nThen r{anew}"
        )
    elif table not in renewed and (oid, publication.membership(oid)) != (stored.get("table"), stored.get("member")):
        what = "dropped and made again" if oid != stored.get("table") else "taken out of the publication and put back"
        yield WatermarkError(
            f"table {table!r} was {what}: its changes in between are lost, deletes among them\nR{anew}"
        )


def exchanged(stored: Mapping[str, Any], now: Mapping[str, Any]) -> list[int]:
    """Return the oids of tables whose membership is not the one that facts had, since they left and came back.

    Args:
        stored: facts of the watermark.
        now: facts as they are.
    """
    before, after = (((one.get("publication") or {}).get("members") or {}) for one in (stored, now))
    return [
        one["table"] for table, one in after.items() if table in before and before[table].get("member") != one["member"]
    ]


def publication_there(there: There, found: Publication) -> WatermarkError:
    """Return the error for a publication of the stream's name that the stream did not make."""
    owner = (
        f"stream {found.made_for['stream']!r} of DAG {found.made_for.get('dag')!r}" if found.made_for else "not ours"
    )
    return WatermarkError(
        f"publication {found.name!r} is there already ({owner}), and stream {there.stream!r} has not made it. Give"
        f" publication={found.name!r} to read it as it is, give another name, or drop it"
        f"\nDROP PUBLICATION {quoted(None, found.name)}"
    )


def _set_back(there: There, before: Mapping[str, Any]) -> str:
    options = [
        f"publish = '{', '.join(before['operations'])}'" if "operations" in before else "",
        f"publish_via_partition_root = {str(before.get('by_root', False)).lower()}",
        f"publish_generated_columns = {'stored' if before['generated'] == 's' else 'none'}"
        if before.get("generated")
        else "",
    ]
    return f"ALTER PUBLICATION {quoted(None, there.publication_name)} SET ({', '.join(filter(None, options))})"
