"""Airflow's REST interface as a user's script calls it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx

ENDED = frozenset({"success", "failed"})
_LOOK_SECONDS = 0.5


class AirflowClient:
    """Calls one api-server; a busy machine is waited for.

    Args:
        url: of the api-server.
        user: who calls.
        password: of that user.
    """

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url, timeout=60)
        answer = self._http.post("/auth/token", json={"username": user, "password": password})
        answer.raise_for_status()
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def call(self, method: str, path: str, body: Any = None, **parameters: Any) -> Any:
        """Return the answer's JSON.

        Raises:
            RuntimeError: the answer is an error; it holds what the server said.
        """
        answer = self._http.request(method, f"/api/v2{path}", json=body, params=parameters)
        if answer.is_error:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text[:1000]}")
        return answer.json() if answer.content else None

    def wait(self, probe: Callable[[], Any], what: str, seconds: float = 180) -> Any:
        """Return the first true value of `probe`."""
        deadline = time.monotonic() + seconds
        while not (found := probe()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what} did not happen within {seconds:.0f} s")
            time.sleep(_LOOK_SECONDS)
        return found

    def put_connection(self, conn_id: str, **fields: Any) -> None:
        """Make a connection, or make it anew."""
        body = {"connection_id": conn_id, **fields}
        answer = self._http.post("/api/v2/connections", json=body)
        if answer.status_code == httpx.codes.CONFLICT:
            answer = self._http.patch(f"/api/v2/connections/{conn_id}", json=body)
        answer.raise_for_status()

    def variable(self, key: str) -> str | None:
        """The text of a Variable, None where there is none."""
        found = self.call("GET", "/variables", variable_key_pattern=key, limit=100)["variables"]
        return next((one["value"] for one in found if one["key"] == key), None)

    def wait_dags(self, wanted: Sequence[str], seconds: float = 180) -> None:
        """Wait until these DAGs are parsed."""

        def parsed() -> bool:
            errors = self.call("GET", "/importErrors")["import_errors"]
            if errors:
                raise RuntimeError("\n".join(one["stack_trace"] for one in errors))
            return set(wanted) <= {one["dag_id"] for one in self.call("GET", "/dags", limit=100)["dags"]}

        self.wait(parsed, f"DAGs {', '.join(wanted)} being parsed", seconds)

    def unpause(self, *dag_ids: str) -> None:
        """Let these DAGs run, once they are parsed."""
        self.wait_dags(dag_ids)
        for dag_id in dag_ids:
            self.call("PATCH", f"/dags/{dag_id}", {"is_paused": False})

    def trigger(self, dag_id: str, logical_date: str | None = None, conf: Mapping[str, Any] | None = None) -> str:
        """Start a run by hand; return its id."""
        body = {"logical_date": logical_date, "conf": dict(conf or {})}
        return str(self.call("POST", f"/dags/{dag_id}/dagRuns", body)["dag_run_id"])

    def backfill(self, dag_id: str, start: str, end: str, **options: Any) -> int:
        """Start a backfill; return its number."""
        body = {"dag_id": dag_id, "from_date": start, "to_date": end, "max_active_runs": 1, "run_backwards": False}
        return int(
            self.call("POST", "/backfills", {**body, "dag_run_conf": {}, "reprocess_behavior": "none", **options})["id"]
        )

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """The runs of a DAG, oldest first."""
        return list(self.call("GET", f"/dags/{dag_id}/dagRuns", limit=100, order_by="start_date")["dag_runs"])

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """One run."""
        return dict(self.call("GET", f"/dags/{dag_id}/dagRuns/{run_id}"))

    def wait_run(self, dag_id: str, run_id: str, seconds: float = 240) -> str:
        """Wait for the end of a run; return its state."""

        def ended() -> str | None:
            state = self.run(dag_id, run_id)["state"]
            return state if state in ENDED else None

        return str(self.wait(ended, f"run {run_id} of {dag_id} ending", seconds))

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """The task instances of a run, mapped ones too."""
        return list(self.call("GET", f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances", limit=100)["task_instances"])

    def states(self, dag_id: str, run_id: str) -> dict[str, str]:
        """Their states, by task id and map index."""
        return {
            one["task_id"] if one["map_index"] < 0 else f"{one['task_id']}[{one['map_index']}]": one["state"]
            for one in self.tasks(dag_id, run_id)
        }

    def wait_task(self, dag_id: str, run_id: str, task_id: str, state: str, seconds: float = 180) -> None:
        """Wait until a task is in a state."""
        self.wait(
            lambda: self.states(dag_id, run_id).get(task_id) == state, f"{task_id} of {dag_id} being {state}", seconds
        )

    def xcom(self, dag_id: str, run_id: str, task_id: str, key: str = "return_value", map_index: int = -1) -> Any:
        """An XCom, None where there is none."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/{key}"
        answer = self._http.get(f"/api/v2{path}", params={"map_index": map_index, "deserialize": True})
        return None if answer.status_code == httpx.codes.NOT_FOUND else answer.raise_for_status().json()["value"]

    def clear(self, dag_id: str, run_id: str, task_id: str) -> None:
        """Clear one task of a run, as the user interface does."""
        body = {
            "dry_run": False,
            "dag_run_id": run_id,
            "task_ids": [task_id],
            "only_failed": False,
            "only_running": False,
        }
        self.call("POST", f"/dags/{dag_id}/clearTaskInstances", body)
