"""What lies in Airflow's metadata database for the streams of one DAG: taken out as plain JSON, and put in again."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from tests.airflow import metadata

VARIABLES = "legacy_events."
ASSETS = "legacy-events:"


def taken(dag_id: str) -> dict[str, Any]:
    """Everything: Variables, runs, XComs, the state of tasks and of assets."""
    metadata.migrated()
    variables = {key: text for key, text in metadata.variables().items() if key.startswith(VARIABLES)}
    runs = _runs(dag_id)
    return {
        "variables": dict(sorted(variables.items())),
        "runs": runs,
        "xcoms": _xcoms(dag_id),
        "task_state": _task_state(dag_id),
        "asset_state": _asset_state(),
    }


def cleaned() -> None:
    """Remove what outlives a DAG: Variables and the state of assets."""
    from airflow.models.asset_state_store import AssetStateStoreModel
    from airflow.models.variable import Variable
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    metadata.migrated()
    with create_session() as session:
        session.execute(delete(Variable).where(Variable.key.startswith(VARIABLES)))
        session.execute(delete(AssetStateStoreModel))


def put(dag: Any, kept: dict[str, Any]) -> None:
    """Put everything in for a DAG that Airflow knows."""
    for key, text in kept["variables"].items():
        metadata.put_variable(key, text)
    for one in kept["runs"]:
        _put_run(dag, one)
    _put_xcoms(dag.dag.dag_id, kept["xcoms"])
    _put_task_state(dag.dag.dag_id, kept["task_state"])
    for one in kept["asset_state"]:
        _put_asset_state(one)


def find_run(dag_id: str, run_id: str) -> Any:
    """A DAG run by its id."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        found = session.scalars(select(DagRun).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id)).one()
        session.expunge(found)
    return found


def _runs(dag_id: str) -> list[dict[str, Any]]:
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        found = session.scalars(select(DagRun).where(DagRun.dag_id == dag_id).order_by(DagRun.id)).all()
        return [
            {
                "run_id": run.run_id,
                "run_type": str(getattr(run.run_type, "value", run.run_type)),
                "logical_date": _text(run.logical_date),
                "interval": [_text(run.data_interval_start), _text(run.data_interval_end)],
                "conf": run.conf,
                "state": str(run.state),
                "tasks": {
                    ti.task_id: {"state": str(ti.state), "try_number": ti.try_number}
                    for ti in run.get_task_instances(session=session)
                },
            }
            for run in found
        ]


def _put_run(dag: Any, kept: dict[str, Any]) -> None:
    from airflow.utils.session import create_session
    from airflow.utils.state import DagRunState

    start, end = (_moment(text) for text in kept["interval"])
    made = dag.run(
        kept["run_type"],
        run_id=kept["run_id"],
        logical_date=_moment(kept["logical_date"]),
        interval=None if start is None else (start, end),
        conf=kept["conf"],
        work=False,
    )
    with create_session() as session:
        run = dag._get(made.id, session)
        for ti in run.get_task_instances(session=session):
            ti.state, ti.try_number = kept["tasks"][ti.task_id]["state"], kept["tasks"][ti.task_id]["try_number"]
            ti.start_date = ti.end_date = run.start_date
        run.state = DagRunState(kept["state"])


def _xcoms(dag_id: str) -> list[dict[str, Any]]:
    from airflow.models.xcom import XComModel

    found = _rows(XComModel, XComModel.dag_id == dag_id)
    order = ("run_id", "task_id", "map_index", "key")
    made = [{name: getattr(one, name) for name in (*order, "value")} for one in found if one.key[:1] != "_"]
    return sorted(made, key=lambda one: tuple(one[name] for name in order))


def _put_xcoms(dag_id: str, kept: list[dict[str, Any]]) -> None:
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session

    with create_session() as session:
        for one in kept:
            XComModel.set(**one, dag_id=dag_id, serialize=False, session=session)


def _task_state(dag_id: str) -> list[dict[str, Any]]:
    from airflow.models.task_state_store import TaskStateStoreModel

    found = _rows(TaskStateStoreModel, TaskStateStoreModel.dag_id == dag_id)
    order = ("run_id", "task_id", "map_index", "key")
    made = [{name: getattr(one, name) for name in (*order, "value")} for one in found]
    return sorted(made, key=lambda one: tuple(one[name] for name in order))


def _put_task_state(dag_id: str, kept: list[dict[str, Any]]) -> None:
    from airflow.models.task_state_store import TaskStateStoreModel
    from airflow.utils.session import create_session

    runs = {one["run_id"]: find_run(dag_id, one["run_id"]).id for one in kept}
    with create_session() as session:
        session.add_all(TaskStateStoreModel(**one, dag_id=dag_id, dag_run_id=runs[one["run_id"]]) for one in kept)


def _asset_state() -> list[dict[str, Any]]:
    from airflow.models.asset import AssetModel
    from airflow.models.asset_state_store import AssetStateStoreModel

    assets = {one.id: one for one in _rows(AssetModel, AssetModel.name.startswith(ASSETS))}
    found = [one for one in _rows(AssetStateStoreModel) if one.asset_id in assets]
    made = [
        {"asset": assets[one.asset_id].name, "uri": assets[one.asset_id].uri, "key": one.key, "value": one.value}
        for one in found
    ]
    return sorted(made, key=lambda one: (one["asset"], one["key"]))


def _put_asset_state(kept: dict[str, Any]) -> None:
    from airflow.models.asset import AssetModel
    from airflow.models.asset_state_store import AssetStateStoreModel
    from airflow.utils.session import create_session

    metadata.activate_asset(kept["asset"], kept["uri"])
    (asset,) = _rows(AssetModel, AssetModel.name == kept["asset"])
    with create_session() as session:
        session.add(AssetStateStoreModel(asset_id=asset.id, key=kept["key"], value=kept["value"]))


def _rows(model: Any, *conditions: Any) -> list[Any]:
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        found = list(session.scalars(select(model).where(*conditions)))
        session.expunge_all()
    return found


def _text(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _moment(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text)


def comparable(kept: dict[str, Any]) -> dict[str, Any]:
    """What is read back of `taken`, each watermark parsed: runs and reports are nobody's memory."""
    watermarks = [one for one in kept["xcoms"] if one["key"] == "watermark"]
    return parsed({**kept, "runs": None, "xcoms": watermarks})


def parsed(value: Any) -> Any:
    """The same with each text that is JSON of an object or list as what it holds."""
    if isinstance(value, str):
        try:
            found = json.loads(value)
        except ValueError:
            return value
        return parsed(found) if isinstance(found, (dict, list, str)) else value
    if isinstance(value, dict):
        return {key: parsed(one) for key, one in value.items()}
    return [parsed(one) for one in value] if isinstance(value, list) else value
