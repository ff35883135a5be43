"""Reasons in the errors of Airflow's client, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def why(error: Exception) -> str:
    """Return the reason in an error of Airflow's client: the API server's own if it gave one.

    Sent values, which a validation error repeats, are left out.
    """
    found = getattr(getattr(error, "error", None), "detail", None)
    if not isinstance(found, Mapping) or "status_code" not in found:
        return " ".join(str(error).split())
    said = _reason(found.get("detail"))
    answered = f"Airflow's API server answered {found['status_code']}"
    if said:
        return f"{answered}: {said}"
    return f"{answered} ({found.get('message') or 'no message'}) without a reason; see its own log"


def _reason(detail: Any) -> str:
    if isinstance(detail, str):
        return " ".join(detail.split())
    if isinstance(detail, list):
        return "; ".join(filter(None, map(_reason, detail)))
    if not isinstance(detail, Mapping):
        return ""
    place = ".".join(map(str, detail["loc"])) if isinstance(detail.get("loc"), list) else ""
    parts = [_reason(detail.get(name)) for name in ("detail", "reason", "message", "msg")]
    said = ": ".join(dict.fromkeys(filter(None, parts)))
    return f"{place}: {said}" if place and said else said
