"""What single features cost."""

from __future__ import annotations

from tests.benchmarks.world import World


def table(world: World) -> str:
    return ""
