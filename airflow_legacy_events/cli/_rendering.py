"""Tasks of a DAG as a run would have them, for commands that examine one."""

from __future__ import annotations

import datetime as dt
from argparse import Namespace
from collections.abc import Iterator
from typing import Any

from airflow.cli.commands import task_command

from airflow_legacy_events.core.errors import ConfigurationError

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
    return [one.task_id for one in dag.topological_sort() if isinstance(one, kind) or _maps(one, kind)]


def each_rendered(args: Namespace, task_id: str) -> Iterator[Any]:
    """Yield an operator as `rendered` returns it, and one that is mapped over literals once for each of them.

    Raises:
        ConfigurationError: it is mapped over the results of another task, and no map index is given.
    """
    task: Any = _commands.get_db_dag(args.bundle_name, args.dag_id).get_task(task_id)
    if not task.is_mapped or args.map_index >= 0:
        yield rendered(args, task_id)[0]
        return
    try:
        count = task.get_parse_time_mapped_ti_count()
    except RuntimeError:  # Airflow does not publish its class
        raise ConfigurationError(
            f"task {task_id!r} is mapped over results of other tasks: give the run that has them, and --map-index"
        ) from None
    for index in range(count):
        yield rendered(Namespace(**{**vars(args), "map_index": index}), task_id)[0]


def _maps(task: Any, kind: type[Any]) -> bool:
    """Whether a task is mapped whose operators have the methods of a protocol."""
    methods = [name for name, found in vars(kind).items() if callable(found) and not name.startswith("_")]
    return bool(task.is_mapped) and all(hasattr(task.operator_class, name) for name in methods)
