"""Facts that a topic source records with every watermark, as plain JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from airflow_legacy_events.core.facts import Form, are_texts, check_facts, is_text
from airflow_legacy_events.core.sink.facts import LOWERED, MET

KIND = "topic"

IDS, COUNTS, FIRST, LATER = "topic_ids", "partitions", "first", "later"
TRUNCATED, STANDING, CAUGHT_UP, TURN = "truncated", "standing", "caught_up", "turn"
WINDOW, ENDS = "window", "ends"


def check_topic_facts(stream: str, facts: Mapping[str, Any]) -> None:
    """Check that the facts of a watermark can be understood; a person may have edited them.

    `topic_ids` identity of each topic · `partitions` their number in each topic at the last run · `first` positions at
    which a first run that delivered nothing yet began · `later` partitions that came later, each with the positions
    that the older ones must reach first, and when they were found · `truncated` event ids of the last truncates that
    were passed on · `standing` partitions that wait at a truncate · `caught_up` when all messages were last read, in
    milliseconds since 1970-01-01 UTC · `turn` the partition that the last run with `max_rows` read first · `lowered`
    reasons why the completeness is `best_effort` · `met` what messages add. The progress of a replay has `window`, its
    bounds, and `ends`.

    Raises:
        WatermarkError: naming the first that can't.
    """
    check_facts(stream, facts, _FORMS)


def known_counts(facts: Mapping[str, Any]) -> Mapping[str, int]:
    """Return how many partitions each topic had at the last run."""
    return facts.get(COUNTS) or {}


def _each(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda found: isinstance(found, dict) and all(map(fits, found.values()))


def _is_number(found: Any) -> bool:
    return type(found) is int


def _is_wait(found: Any) -> bool:
    return (
        isinstance(found, dict)
        and are_texts(found.get("partitions"))
        and are_texts(found.get("until"))
        and _is_number(found.get("since"))
    )


_FORMS: Mapping[str, Form] = {
    IDS: (_each(is_text), "an object of texts"),
    COUNTS: (_each(_is_number), "an object of numbers"),
    FIRST: (are_texts, "a list of texts"),
    LATER: (lambda found: isinstance(found, list) and all(map(_is_wait, found)), "a list of partitions that wait"),
    TRUNCATED: (are_texts, "a list of texts"),
    STANDING: (_each(_is_number), "an object of numbers"),
    CAUGHT_UP: (_is_number, "a number"),
    TURN: (is_text, "a text"),
    LOWERED: (_each(is_text), "an object of texts"),
    MET: (lambda found: isinstance(found, dict), "an object"),
    WINDOW: (are_texts, "a list of texts"),
    ENDS: (are_texts, "a list of texts"),
}
