"""Messages of rows without a key, as a world keeps them."""

from __future__ import annotations

import json
from collections import Counter

from tests.support.crashes import World


def ids_of(world: World) -> list[str]:
    """The event ids, in the order in which they came."""
    return [json.loads(value)["id"] for _, value in world.topic]


def lines(world: World) -> Counter:
    """How often each line came, each id counted once."""
    once = {found["id"]: found["data"]["line"] for found in map(json.loads, (value for _, value in world.topic))}
    return Counter(once.values())
