"""Log of SQLAlchemy's pools, without the drivers' errors."""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from typing import Any

import sqlalchemy as sa


class _WithoutErrors(logging.LoggerAdapter[Any]):
    """Logs a pool's messages without the driver's error, which may contain row values."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        return msg, {**kwargs, "exc_info": None}


def without_errors(engine: sa.Engine) -> sa.Engine:
    """Let an engine's pool log no error of the driver; return the engine."""
    pool: Any = engine.pool
    pool.logger = _WithoutErrors(pool.logger, {})
    return engine
