"""Facts of a watermark of the binlog, which a person may have edited."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.databases.mysql.changelog.stored import check_stored, place_of

SHAPE = {"columns": [["id", 1, "int", None, None], ["note", None, "varchar(9)", "utf8mb4", 36]], "last": 2}
FACTS = {
    "gtids": "0-1-7",
    "prepared": {"X'61',X'',1": "binlog.000001:4-300", "*": ""},
    "counted": {"name": "0-1-8", "tables": [["shop", "orders"]]},
    "passing": {"gtids": "0-1-7", "until": "binlog.000003:4711"},
    "columns": {"tables": [["shop", "orders", SHAPE]]},
    "file": {"name": "binlog.000001", "created": 1_796_018_087},
    "last": {"gtid": "0-1-7", "changed": 1_796_018_087},
}


def test_facts_as_they_are_kept_are_understood():
    check_stored("s", FACTS)
    check_stored("s", dict.fromkeys(FACTS))
    check_stored("s", FACTS | {"gtids": "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5:tag:7"})


@pytest.mark.parametrize(
    ("fact", "edited"),
    [
        ("gtids", "none"),
        ("gtids", 7),
        ("prepared", ["X'61'"]),
        ("prepared", {"X'61'": 4}),
        ("counted", {"name": "0-1-8", "tables": ["orders"]}),
        ("counted", {"tables": []}),
        ("passing", {"gtids": "0-1-7"}),
        ("columns", {"tables": [["shop", "orders"]]}),
        ("columns", {"tables": [["shop", "orders", {"columns": [["id"]], "last": 1}]]}),
        ("columns", {"tables": [["shop", "orders", {"columns": [], "last": 1, "secret": 1}]]}),
        ("columns", []),
        ("file", "binlog.000001"),
        ("last", {"changed": 1}),
        ("last", {"gtid": "0-1-7", "changed": "soon"}),
    ],
)
def test_a_fact_that_was_edited_is_named_without_its_value(fact, edited):
    with pytest.raises(WatermarkError, match=f"fact '{fact}' that can't be understood") as error:
        check_stored("s", FACTS | {fact: edited})
    assert "secret" not in str(error.value)


def test_a_position_of_another_log_is_no_place():
    assert place_of("s", "binlog.000012:4711").position == 4711
    with pytest.raises(WatermarkError, match="no place in a binlog"):
        place_of("s", "0/16B3748")
