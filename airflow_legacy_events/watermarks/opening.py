"""Watermark stores that are opened by name; the store's class describes its special properties."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Self, TypeAlias

from airflow_legacy_events.core.made import made_by
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.core.ports import WatermarkStore

if TYPE_CHECKING:
    import sqlalchemy as sa

Scope: TypeAlias = Literal["anywhere", "task"]


class Owner(NamedTuple):
    """The task that owns a stream handled by a server of the deployment."""

    dag: str
    task: str


class OpenedBy(NamedTuple):
    """Context and arguments with which a store is opened.

    Attributes:
        detail: the part after the colon in `watermark_store=`, such as a connection; empty: none.
        context: of the running task; None on a server of the deployment.
        owner: on a server, the task that owns the stream; None: unknown.
        engine: returns the SQLAlchemy engine of an Airflow connection.
    """

    detail: str
    context: Mapping[str, Any] | None
    owner: Owner | None
    engine: Callable[[str], sa.Engine]


class NamedStore(ABC):
    """A `core.ports.WatermarkStore` with the name that streams are registered under, and the defaults of most stores.

    Attributes:
        keeps_progress: whether a replay can keep its progress beside the watermark, so that another try finds it.
        begins_again: whether the last load found nothing and proved that no run can have saved a watermark. A
            registered stream has then not lost it.
        reads_others: whether the watermark of another stream can be loaded without an effect on later calls.
    """

    keeps_progress: ClassVar[bool] = True
    reads_others: ClassVar[bool] = True
    begins_again: bool = False

    def __repr__(self) -> str:
        """See `core.made.made_by`; another name means another store."""
        return made_by(type(self), name=self.name)

    @property
    def name(self) -> str:
        """The name that streams are registered under; another name means another store."""
        return _dotted(type(self))

    @abstractmethod
    def load(self, stream: str) -> Watermark | None:
        """See `core.ports.WatermarkStore.load`."""

    @abstractmethod
    def save(self, stream: str, new: Watermark, *, expected: Watermark | None) -> None:
        """See `core.ports.WatermarkStore.save`."""

    @abstractmethod
    def forget(self, stream: str) -> None:
        """See `core.ports.WatermarkStore.forget`."""

    def succeeded(self, stream: str) -> str | None:  # noqa: ARG002  most stores have nothing to do
        """Note that a live run has succeeded; return its watermark's text if clearing the run would delete it."""
        return None

    def pass_by(self, kept: Mapping[str, str]) -> None:  # noqa: B027  most stores have nothing to do
        """Note that this run moves no watermark.

        Args:
            kept: watermark texts by stream, left by a live run that this run replaces.
        """


class OpenableStore(NamedStore):
    """A store opened by its name in `watermark_store=`.

    Attributes:
        scope: `anywhere`, or `task` if a triggerer can't read it.
        task_reason: why it can't, as the second half of a sentence.
        needs_inlet: whether the task must name the stream's asset as an inlet.
        detail_option: the option of `[legacy_events]` that replaces a missing detail; None: the store takes no detail.
    """

    scope: ClassVar[Scope] = "anywhere"
    task_reason: ClassVar[str] = ""
    needs_inlet: ClassVar[bool] = False
    detail_option: ClassVar[str | None] = None

    @classmethod
    @abstractmethod
    def open(cls, by: OpenedBy) -> Self:
        """Return the store.

        Raises:
            ConfigurationError: it can't be opened with what `by` holds.
        """


class PassedStore(NamedStore):
    """A store that a DAG passes as an object, registered under its class's dotted name."""

    def __init__(self, store: WatermarkStore) -> None:
        self._store = store

    @property
    def name(self) -> str:
        """Module and name of the object's class."""
        return _dotted(type(self._store))

    def load(self, stream: str) -> Watermark | None:
        """See `core.ports.WatermarkStore.load`."""
        return self._store.load(stream)

    def save(self, stream: str, new: Watermark, *, expected: Watermark | None) -> None:
        """See `core.ports.WatermarkStore.save`."""
        self._store.save(stream, new, expected=expected)

    def forget(self, stream: str) -> None:
        """See `core.ports.WatermarkStore.forget`."""
        self._store.forget(stream)


def _dotted(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
