"""What an error or a log says, wherever its lines end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


def one_line(found: object) -> str:
    """The text in one line."""
    return " ".join(str(found).split())


@contextmanager
def raises(kind: type[BaseException], match: str) -> Iterator[None]:
    """Like pytest's, of the text in one line."""
    with pytest.raises(kind) as raised:
        yield
    assert re.search(match, one_line(raised.value)), raised.value
