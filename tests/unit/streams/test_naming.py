"""Default names of replication slots."""

from __future__ import annotations

import re

import pytest

from airflow_legacy_events.streams.naming import slot_name


def test_ids_that_a_slot_can_hold_are_kept() -> None:
    assert slot_name("crm_orders", "drain") == "legacy_events_crm_orders_drain"


def test_ids_that_would_share_a_name_end_with_different_hashes() -> None:
    ids = ["crm.orders", "crm-orders", "CRM_orders", "crm_orders", "x" * 200, "x" * 201, "bestellung_ä"]
    names = {slot_name(one, "drain") for one in ids}
    assert len(names) == len(ids)
    assert all(re.fullmatch("legacy_events_[a-z0-9_]{1,49}", one) for one in names)


@pytest.mark.parametrize("length", [43, 44, 45, 46])
def test_a_name_has_at_most_63_characters(length: int) -> None:
    name = slot_name("d" * length, "task")
    assert len(name) <= 63
    assert (name == f"legacy_events_{'d' * length}_task") == (length <= 44)
