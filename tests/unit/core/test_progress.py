from __future__ import annotations

import logging

import pytest

from airflow_legacy_events.core import progress as module
from airflow_legacy_events.core.progress import Progress


def test_lines_come_at_most_every_ten_seconds(monkeypatch, caplog):
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    progress = Progress(logging.getLogger("test"), "s")
    with caplog.at_level(logging.INFO):
        for second in range(26):
            now[0] = float(second)
            progress.show(second * 1000, second / 100)
    assert caplog.messages == [
        "s: 10000 rows, 1000 rows/s, 10% of the range, about 90 s left",
        "s: 20000 rows, 1000 rows/s, 20% of the range, about 80 s left",
    ]


@pytest.mark.parametrize(
    ("share", "line"), [(None, "s: 5000 rows, 500 rows/s"), (0.0, "s: 5000 rows, 500 rows/s, 0% of the range")]
)
def test_a_line_says_what_is_known(share, line):
    assert Progress(logging.getLogger("test"), "s").line(5000, share, 10.0) == line
