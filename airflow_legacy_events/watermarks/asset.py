"""Asset state: watermarks in the state that Airflow 3.3 keeps for an asset, one asset per stream.

The asset must be an inlet of the task. Airflow removes the state of assets that are only outlets while the DAG can't be
imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, Self

from airflow.sdk import Asset

from airflow_legacy_events.core.errors import ConfigurationError, WatermarkError
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.watermarks.airflow_variables import variable_key
from airflow_legacy_events.watermarks.codec import decode
from airflow_legacy_events.watermarks.opening import OpenableStore, OpenedBy
from airflow_legacy_events.watermarks.refusals import why
from airflow_legacy_events.watermarks.saving import VerifiedSaves

KEY = "watermark"


class _State(Protocol):
    def get(self, key: str) -> Any: ...
    def set(self, key: str, value: Any) -> None: ...
    def delete(self, key: str) -> None: ...


def watermark_asset(stream: str) -> Asset:
    """Return the asset whose state holds the watermark of `stream`, and the progress of `<stream>#<run>`."""
    key = variable_key("", stream.partition("#")[0])
    return Asset(name=f"legacy-events:{key}", uri=f"x-legacy-events://{key}")


class AssetWatermarkStore(OpenableStore):
    """Keeps each stream's watermark, and the progress of its replays, in the state of the stream's asset.

    Args:
        context: of the task; None: the process is a server of the deployment.
    """

    name = "asset"
    scope = "task"
    task_reason = "an asset's state is open to the tasks that name the asset"
    needs_inlet = True
    reads_others = False

    def __init__(self, context: Mapping[str, Any] | None = None) -> None:
        self._context = context
        self._saves = VerifiedSaves(self.load, self._write)

    @classmethod
    def open(cls, by: OpenedBy) -> Self:
        """See `OpenableStore.open`."""
        return cls(by.context)

    def load(self, stream: str) -> Watermark | None:
        """See `core.ports.WatermarkStore.load`."""
        state, key = self._state(stream)
        try:
            text = state.get(key)
        except WatermarkError:
            raise
        except Exception as error:
            raise _failed(stream, "read", error) from error
        if text is None:
            return None
        return decode(text if isinstance(text, str) else repr(text), stream=stream, place="its asset's state")

    def save(self, stream: str, new: Watermark, *, expected: Watermark | None) -> None:
        """See `core.ports.WatermarkStore.save`."""
        self._saves.save(stream, new, expected)

    def forget(self, stream: str) -> None:
        """Remove the watermark, readable or not; one that is absent stays absent."""
        state, key = self._state(stream)
        try:
            state.delete(key)
        except Exception as error:
            raise _failed(stream, "removed", error) from error

    def _write(self, stream: str, text: str) -> None:
        state, key = self._state(stream)
        try:
            state.set(key, text)
        except Exception as error:
            raise _failed(stream, "written", error) from error

    def _state(self, name: str) -> tuple[_State, str]:
        """Return the asset's state and the key in it; a replay's progress is in the state of its stream's asset."""
        stream, mark, run = name.partition("#")
        asset = watermark_asset(name)
        key = f"{KEY}{mark}{run}"
        if self._context is None:
            from airflow_legacy_events.watermarks.asset_server import ServerAssetState  # noqa: PLC0415

            return ServerAssetState(asset.name), key
        if "task_state_store" not in self._context:
            raise ConfigurationError(
                "watermark_store='asset' needs Airflow 3.3, which keeps state for assets; nothing was read. Leave"
                " watermark_store= out, or use 'table'"
            )
        try:
            return self._context["asset_state_store"][asset], key
        except KeyError:
            raise ConfigurationError(
                f"watermark_store='asset' keeps the watermark of stream {stream!r} with asset {asset.name!r}, which is"
                " not an inlet of this task: a mapped task (expand) loses it. Nothing was read. Leave watermark_store="
                " out, or use 'table'"
            ) from None


def _failed(stream: str, doing: str, error: Exception) -> WatermarkError:
    return WatermarkError(
        f"the watermark of stream {stream!r} in its asset's state could not be {doing}: {why(error)}. A retry"
        " continues",
        retry_helps=True,
    )
