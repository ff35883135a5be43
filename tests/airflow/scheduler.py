"""A DAG whose runs are made as Airflow's scheduler, triggers and backfills make them, and worked on at once.

`dag.test` makes manual runs only. Here a run may have any type, interval and configuration, be retried and be cleared;
its tasks go through the same in-process supervisor and execution API, on the real metadata database.
"""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass
from typing import Any

from tests.airflow import metadata

_numbers = itertools.count()


@dataclass
class Dag:
    """One DAG file, known to the metadata database.

    Attributes:
        dag: as its file makes it.
        serialized: as the scheduler sees it.
    """

    dag: Any
    serialized: Any

    @classmethod
    def write(cls, text: str, dag_id: str) -> Dag:
        """Write the file, and let Airflow parse and know it."""
        from airflow.dag_processing.bundles.manager import DagBundlesManager
        from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
        from airflow.serialization.serialized_objects import DagSerialization
        from airflow.utils.session import create_session

        metadata.migrated()
        file = metadata.write_dag(text, dag_id)
        with create_session() as session:
            DagBundlesManager().sync_bundles_to_db(session=session)
        bag = DagBag(str(file), bundle_path=metadata.DAGS, bundle_name="tests")
        if bag.import_errors:
            raise ImportError("\n".join(bag.import_errors.values()))
        sync_bag_to_db(bag, "tests", None)
        dag = bag.dags[dag_id]
        return cls(dag, DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag)))

    def run(
        self,
        run_type: str = "manual",
        *,
        logical_date: dt.datetime | None = None,
        interval: tuple[dt.datetime, dt.datetime] | None = None,
        conf: dict[str, Any] | None = None,
        run_id: str | None = None,
        work: bool = True,
    ) -> Any:
        """Make a run and work on it until nothing of it is left to do."""
        from airflow.utils.session import create_session
        from airflow.utils.state import DagRunState
        from airflow.utils.types import DagRunTriggeredByType, DagRunType

        now = dt.datetime.now(dt.UTC)
        with create_session() as session:
            made = self.serialized.create_dagrun(
                run_id=run_id or f"{run_type}__{next(_numbers)}",
                logical_date=logical_date,
                data_interval=interval,
                run_after=interval[1] if interval else now,
                conf=conf,
                run_type=next(one for one in DagRunType if one.value == run_type),
                state=DagRunState.RUNNING,
                triggered_by=DagRunTriggeredByType.TEST,
                triggering_user_name="tests",
                start_date=now,
                session=session,
            )
            session.flush()
            found = made.id
        return self.work(found) if work else self._load(found)

    def retry(self, run: Any) -> Any:
        """Work on a run whose task waits for its retry."""
        return self.work(run.id)

    def clear(self, run: Any, run_type: str | None = None) -> Any:
        """Clear all tasks of a run, as a person or, with a type, a backfill that processes it again; work on it."""
        from airflow.models.dagrun import DagRun
        from airflow.models.taskinstance import clear_task_instances
        from airflow.utils.session import create_session
        from airflow.utils.state import DagRunState
        from airflow.utils.types import DagRunType

        with create_session() as session:
            found = session.get(DagRun, run.id)
            found.dag = self.serialized
            clear_task_instances(found.get_task_instances(session=session), session)
            found.state = DagRunState.RUNNING
            if run_type is not None:
                found.run_type = next(one for one in DagRunType if one.value == run_type)
        return self.work(run.id)

    def work(self, run: int) -> Any:
        """Do what is to be done for a run; return it as it stands then."""
        from airflow.sdk.definitions.dag import _run_task
        from airflow.utils.session import create_session

        with create_session() as session:
            for ti in self._due(run, session):
                _run_task(ti=ti, task=self.dag.task_dict[ti.task_id])
        with create_session() as session:
            found = self._get(run, session)
            found.update_state(session=session, execute_callbacks=False)
        return self._load(run)

    def _due(self, run: int, session: Any) -> list[Any]:
        found = self._get(run, session)
        found.update_state(session=session, execute_callbacks=False)
        waiting = [ti for ti in found.get_task_instances(session=session) if str(ti.state) in ("None", "up_for_retry")]
        for ti in waiting:
            ti.try_number += 1
            ti.state = "scheduled"
        session.commit()
        return sorted(waiting, key=lambda ti: (ti.task_id, ti.map_index))

    def _get(self, run: int, session: Any) -> Any:
        from airflow.models.dagrun import DagRun

        found = session.get(DagRun, run)
        found.dag = self.serialized
        return found

    def _load(self, run: int) -> Any:
        from airflow.models.dagrun import DagRun
        from airflow.utils.session import create_session

        with create_session() as session:
            found = session.get(DagRun, run)
            session.expunge(found)
        return found
