"""XComs of a task, accessed by a server of the deployment through the metadata database."""

from __future__ import annotations

import datetime as dt
from typing import Any

from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.watermarks.first_load import PERSON, forget_load, loaded_by, note_load
from airflow_legacy_events.watermarks.xcom_runs import KEY, PastRun


class ServerRuns:
    """The successful runs of a task; a push replaces the XCom of the last one.

    Args:
        dag_id: of the task.
        task_id: of the task.
    """

    def __init__(self, dag_id: str, task_id: str) -> None:
        self._dag_id, self._task_id = dag_id, task_id

    def own(self) -> Any:
        """A server has no run of its own."""
        return None

    def before(self, logical_date: dt.datetime | None) -> PastRun | None:
        """See `Runs.before`; None: the last one."""
        from airflow.models.dagrun import DagRun  # noqa: PLC0415  loads the whole metadata model
        from airflow.models.taskinstance import TaskInstance  # noqa: PLC0415
        from airflow.utils.session import create_session  # noqa: PLC0415
        from sqlalchemy import select  # noqa: PLC0415

        wanted = (
            select(DagRun.run_id, DagRun.logical_date)
            .join(TaskInstance, (TaskInstance.dag_id == DagRun.dag_id) & (TaskInstance.run_id == DagRun.run_id))
            .where(TaskInstance.dag_id == self._dag_id, TaskInstance.task_id == self._task_id)
            .where(TaskInstance.map_index == -1, TaskInstance.state == "success", DagRun.logical_date.is_not(None))
            .order_by(DagRun.logical_date.desc())
        )
        if logical_date is not None:
            wanted = wanted.where(DagRun.logical_date < logical_date)
        with create_session() as session:
            found = session.execute(wanted.limit(1)).first()
        return None if found is None else PastRun(found.run_id, found.logical_date, self._read(found.run_id))

    def push(self, content: Any) -> None:
        """Replace the XCom of the last successful run."""
        from airflow.models.xcom import XComModel  # noqa: PLC0415
        from airflow.utils.session import create_session  # noqa: PLC0415

        last = self.before(None)
        if last is None:
            raise WatermarkError(
                f"task {self._task_id!r} of DAG {self._dag_id!r} has no successful run with a logical date whose XComs"
                " could hold a watermark. Let it run once, or use another store"
            )
        with create_session() as session:
            mine: dict[str, Any] = {"dag_id": self._dag_id, "task_id": self._task_id, "run_id": last.run_id}
            # Plain JSON is already the serialized form that tasks send; the model would wrap it into a text.
            XComModel.set(KEY, content, serialize=False, session=session, **mine)
        for stream, text in content.items():
            if text is not None:
                self.loaded(stream)

    def may_load(self, stream: str) -> bool:
        """See `Runs.may_load`."""
        return loaded_by(stream) is None

    def loaded(self, stream: str) -> None:
        """See `Runs.loaded`."""
        note_load(stream, PERSON)

    def replace_all(self, content: Any) -> None:
        """See `Runs.replace_all`; without a successful run there is nothing to remember."""
        from airflow.models.xcom import XComModel  # noqa: PLC0415
        from airflow.utils.session import create_session  # noqa: PLC0415
        from sqlalchemy import delete  # noqa: PLC0415

        with create_session() as session:
            session.execute(
                delete(XComModel).where(
                    XComModel.dag_id == self._dag_id, XComModel.task_id == self._task_id, XComModel.key == KEY
                )
            )
        for stream in content:
            forget_load(stream)
        if self.before(None) is not None:
            self.push(content)

    def _read(self, run_id: str) -> Any:
        from airflow.models.xcom import XComModel  # noqa: PLC0415
        from airflow.utils.session import create_session  # noqa: PLC0415
        from sqlalchemy import select  # noqa: PLC0415

        mine = {"dag_id": self._dag_id, "task_id": self._task_id, "run_id": run_id, "key": KEY, "map_index": -1}
        with create_session() as session:
            found = session.scalar(select(XComModel).filter_by(**mine))
            return None if found is None else found.value
