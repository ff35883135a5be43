"""Rows of messages that may hold both images, `before` and `after`."""

from __future__ import annotations

from airflow_legacy_events.core.model.meaning import Fields
from airflow_legacy_events.core.ports.decoder import NotUnderstoodError
from airflow_legacy_events.envelopes.decoders import objects

_IMAGES = frozenset({"before", "after"})


def row_of(found: objects.Members, *, deleted: bool) -> Fields:
    """Return the row of a message: the image that counts, or the members themselves.

    A table whose only columns are called `before` and `after` is recognized by their values, which are no objects.

    Args:
        found: members of the data.
        deleted: whether the row was deleted, so that its former image counts.

    Raises:
        NotUnderstoodError: the image is missing.
    """
    if found.keys() != _IMAGES or not all(_is_image(bytes(one)) for one in found.values()):
        return objects.wires(found, "the data")
    image = objects.optional_fields(found["before" if deleted else "after"], "the image")
    if image is None and not deleted:
        raise NotUnderstoodError("NOT_JSON", "the event has no image of the row as it is now")
    return image or {}


def _is_image(written: bytes) -> bool:
    return written.startswith(b"{") or written == b"null"
