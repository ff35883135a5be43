"""Receipts of an outbox: short where a transaction wrote many rows, and whatever they hold is read back."""

from __future__ import annotations

import json
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_legacy_events.sources.outbox.receipts import Received, receipt_of, received

VERSION = st.integers(0, 2**32 - 1)
FEW_VERSIONS = st.integers(7, 8)


def numbered(first: int, versions: list[int]) -> Received:
    return Received([(str(number),) for number, _ in enumerate(versions, first)], versions)


def read_back(rows: Received, *, integers: bool, width: int = 1) -> list[tuple[tuple[str, ...], int]]:
    receipt = receipt_of(rows, integers=integers)
    kept = [] if receipt is None else json.loads(json.dumps(receipt))
    return [(row.key, row.version) for row in received(tuple(kept), width)]


@given(st.lists(st.tuples(st.integers(-30, 30), FEW_VERSIONS | VERSION)))
def test_integers_in_any_order_are_read_back(rows):
    keys, versions = [(str(number),) for number, _ in rows], [version for _, version in rows]

    assert read_back(Received(keys, versions), integers=True) == list(zip(keys, versions, strict=True))


@given(st.lists(st.tuples(st.text(), st.text(), VERSION)))
def test_texts_of_two_columns_are_read_back(rows):
    keys, versions = [row[:2] for row in rows], [row[2] for row in rows]

    assert read_back(Received(keys, versions), integers=False, width=2) == list(zip(keys, versions, strict=True))


def test_rows_of_five_transactions_are_five_short_parts():
    receipt = receipt_of(numbered(1, [at // 1_000 + 700 for at in range(5_000)]), integers=True)

    assert receipt is not None
    assert [part[:2] for part in receipt] == [[1, 1000], [1001, 2000], [2001, 3000], [3001, 4000], [4001, 5000]]
    assert len(json.dumps(receipt)) < 200


def test_rows_of_a_transaction_each_are_one_part():
    [part] = receipt_of(numbered(1, list(range(700, 1_700))), integers=True) or ()

    assert part[:2] == [1, 1_000]


def test_rows_with_uuids_fit_into_a_watermark():
    rows = Received([(str(uuid.UUID(int=at)),) for at in range(5_000)], list(range(5_000)))

    assert len(json.dumps(receipt_of(rows, integers=False))) < 256_000


def test_parts_hold_every_row_once():
    rows = numbered(1, list(range(7)))

    assert [[row.version for row in rows.part(at, 3)] for at in (0, 3, 6)] == [[0, 1, 2], [3, 4, 5], [6]]


@pytest.mark.parametrize("receipt", [([1, 2],), ([1, 2, "AAAA"],), ([["1"], "AAAAAA=="], [5]), (["1", "AAAAAA=="],)])
def test_what_a_person_edited_is_no_receipt(receipt):
    with pytest.raises(ValueError, match=r"not a receipt|padding|unpack"):
        received(receipt, 1)


@pytest.mark.parametrize("receipt", [([1, 3, "AAAAAA=="],), ([["1", "2"], "AAAAAA=="],)])
def test_a_key_of_one_column_is_none_of_two(receipt):
    with pytest.raises(ValueError, match=r"not a receipt|unpack"):
        received(receipt, 2)
