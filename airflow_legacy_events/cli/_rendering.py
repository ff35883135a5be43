"""Tasks of a DAG as a run would have them, for commands that examine one."""

from __future__ import annotations

import datetime as dt
from argparse import Namespace
from typing import Any

from airflow.cli.commands import task_command

_commands: Any = task_command


def rendered(args: Namespace, task_id: str) -> tuple[Any, Any]:
    """Return an operator with its templates filled as `airflow tasks render` fills them, and the task's context.

    Args:
        args: of the command: DAG, bundle, run and map index.
        task_id: of the operator.
    """
    dag = _commands.get_bagged_dag(args.bundle_name, args.dag_id)
    known = _commands.get_db_dag(args.bundle_name, args.dag_id)
    ti, _ = _commands._get_ti(  # noqa: SLF001  the command has no public part
        known.get_task(task_id=task_id),
        args.map_index,
        logical_date_or_run_id=args.logical_date_or_run_id or dt.datetime.now(dt.UTC).isoformat(),
        create_if_necessary="memory",
    )
    operator = dag.get_task(task_id)
    context = _commands._get_template_context(ti, operator)  # noqa: SLF001
    operator.render_template_fields(context)
    return context["task"], context


def task_ids(args: Namespace, kind: type[Any]) -> list[str]:
    """Return the tasks of the DAG whose operator is of a kind, in the DAG's order."""
    dag: Any = _commands.get_bagged_dag(args.bundle_name, args.dag_id)
    return [one.task_id for one in dag.topological_sort() if isinstance(one, kind)]
