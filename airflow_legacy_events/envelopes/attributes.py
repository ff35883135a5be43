"""Texts of CloudEvents' attributes: control characters and what is no character may not stand in them.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#type-system
"""

from __future__ import annotations

import re

from airflow_legacy_events.core.uris import reference
from airflow_legacy_events.envelopes.column_encoder import Values
from airflow_legacy_events.envelopes.plan import Slot

HEADER = "ce_"
"""How the names of headers begin that are attributes."""

_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
_FORBIDDEN = re.compile(f"[\x00-\x1f\x7f-\x9f{_NONCHARACTERS}]")


def cleaned(text: str) -> str:
    """Return a text of an attribute, what may not stand there percent-encoded as UTF-8."""
    if text.isprintable():  # a tenth of the cost of the search
        return text
    return _FORBIDDEN.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), text)


def is_clean(values: Values) -> bool:
    """Whether all texts may stand in attributes; absent ones do."""
    joined = "".join(filter(None, values))
    return joined.isprintable() or _FORBIDDEN.search(joined) is None


def cleaned_each(values: Values) -> Values:
    """Return texts of an attribute, one for each row."""
    return values if is_clean(values) else [None if text is None else cleaned(text) for text in values]


def attribute_texts(slot: Slot, values: Values) -> Values:
    """Return the texts of an attribute that templates made, as the type of its slot demands."""
    if slot is not Slot.SOURCE:
        return cleaned_each(values)
    made = {text: None if text is None else reference(text) for text in set(values)}
    return [made[text] for text in values]


def header_texts(name: str, values: Values) -> Values:
    """Return the texts of a header, which is an attribute if its name says so."""
    return cleaned_each(values) if name.startswith(HEADER) else values
