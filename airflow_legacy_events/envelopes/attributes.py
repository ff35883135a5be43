"""Texts of CloudEvents attributes, which must not hold control characters or noncharacters.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#type-system
"""

from __future__ import annotations

import re

from airflow_legacy_events.core.uris import reference
from airflow_legacy_events.envelopes.column_encoder import Values
from airflow_legacy_events.envelopes.plan import Slot

HEADER = "ce_"
"""Prefix of the names of headers that are attributes."""

_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
_FORBIDDEN = re.compile(f"[\x00-\x1f\x7f-\x9f{_NONCHARACTERS}]")


def cleaned(text: str) -> str:
    """Return a text of an attribute, with forbidden characters percent-encoded as UTF-8."""
    if text.isprintable():  # a tenth of the cost of the search
        return text
    return _FORBIDDEN.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), text)


def is_clean(values: Values) -> bool:
    """Whether all texts are allowed in attributes; absent ones are."""
    joined = "".join(filter(None, values))
    return joined.isprintable() or _FORBIDDEN.search(joined) is None


def cleaned_each(values: Values) -> Values:
    """Return texts of an attribute, one for each row."""
    return values if is_clean(values) else [None if text is None else cleaned(text) for text in values]


def attribute_texts(slot: Slot, values: Values) -> Values:
    """Return the texts of an attribute from templates, escaped as the type of its slot requires."""
    if slot is not Slot.SOURCE:
        return cleaned_each(values)
    made = {text: None if text is None else reference(text) for text in set(values)}
    return [made[text] for text in values]


def header_texts(name: str, values: Values) -> Values:
    """Return the texts of a header, cleaned if its name marks it as an attribute."""
    return cleaned_each(values) if name.startswith(HEADER) else values
