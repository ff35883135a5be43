"""A watermark store in a file that can be killed before, inside or after a save; the DAG passes it as an object."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.watermarks import codec


class FileStore:
    """One file per stream, replaced as a whole.

    Args:
        folder: of the files, and of `saves`, which counts the saves of all runs.
        kill_at: `before`, `inside` or `after` the save with the number `number`, counted over delivered batches.
    """

    def __init__(self, folder: str, kill_at: str = "", number: int = 0) -> None:
        self._folder, self._kill_at, self._number = Path(folder), kill_at, number
        self._saves = 0

    def load(self, stream: str) -> Watermark | None:
        file = self._folder / "watermark"
        return codec.decode(file.read_text(), stream=stream, place=str(file)) if file.exists() else None

    def save(self, stream: str, new: Watermark, *, expected: Watermark | None) -> None:
        assert self.load(stream) == expected
        self._saves += new.values is not None
        self._die("before")
        text = codec.encode(new)
        draft = self._folder / "draft"
        draft.write_text(text[: len(text) // 2])
        self._die("inside")
        draft.write_text(text)
        draft.rename(self._folder / "watermark")
        self._die("after")

    def forget(self, stream: str) -> None:
        (self._folder / "watermark").unlink(missing_ok=True)

    def _die(self, where: str) -> None:
        if where == self._kill_at and self._saves == self._number:
            os.kill(os.getpid(), signal.SIGKILL)
