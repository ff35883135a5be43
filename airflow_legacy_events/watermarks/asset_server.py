"""Asset state, accessed by a server of the deployment through the metadata database."""

from __future__ import annotations

import json
from typing import Any

from airflow_legacy_events.core.errors import ConfigurationError, WatermarkError
from airflow_legacy_events.core.foreign_json import read_json


class ServerAssetState:
    """State of the active asset of that name; needs Airflow 3.3.

    Args:
        name: of the asset.
    """

    def __init__(self, name: str) -> None:
        try:
            from airflow._shared.state import AssetScope  # noqa: PLC0415  Airflow 3.3
            from airflow.state import get_state_backend  # noqa: PLC0415
        except ImportError as error:
            raise ConfigurationError("watermarks in the state of assets need Airflow 3.3") from error
        self._scope: Any = AssetScope(asset_id=_asset_id(name))
        self._backend: Any = get_state_backend()

    def get(self, key: str) -> Any:
        """Return the value, None if there is none; text that is not JSON is returned unchanged."""
        text = self._backend.get(self._scope, key)
        try:
            return None if text is None else read_json(text)
        except ValueError:
            return text

    def set(self, key: str, value: Any) -> None:
        """Replace the value."""
        self._backend.set(self._scope, key, json.dumps(value))

    def delete(self, key: str) -> None:
        """Remove the value."""
        self._backend.delete(self._scope, key)


def _asset_id(name: str) -> int:
    from airflow.models.asset import AssetModel  # noqa: PLC0415  loads the whole metadata model
    from airflow.utils.session import create_session  # noqa: PLC0415
    from sqlalchemy import select  # noqa: PLC0415

    with create_session() as session:
        found = session.scalar(select(AssetModel.id).where(AssetModel.name == name, AssetModel.active.has()))
    if found is None:
        raise WatermarkError(
            f"asset {name!r}, whose state holds the watermark, is not known to Airflow: no DAG with"
            " watermark_store='asset' names it at the moment. Let the DAG be parsed, then try again",
            retry_helps=True,
        )
    return int(found)
