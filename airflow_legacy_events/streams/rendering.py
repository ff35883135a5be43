"""Templated arguments, each rendered to its own type, independent of the DAG's native rendering setting.

Airflow renders all fields of a task in one way. `render_template_as_native_obj` turns a text that looks like a number
into a number. A value that ends like a file name is looked up as a file in every field. Here a text stays a text, a
list from a template is a list, and files are read only for the fields that take one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_legacy_events.streams import arguments

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator as _Operator
else:
    _Operator = object

STRUCTURED = frozenset(
    {
        *("watermark_columns", "key_columns", "columns", "exclude_columns", "order_columns"),
        *("tables", "allowed_topics", "replay_topics", "headers", "topic_config", "mark_values", "json_schema"),
        *("topics", "partitions", "metadata_columns", "column_types", "decimal_scales", "config"),
    }
)
"""Fields that hold lists or objects: a template for the whole field may return one if rendering is native."""

_OF_ANY = frozenset({"mark_values", "json_schema", "config", "partitions", "decimal_scales"})
"""Structured fields whose parts need not be texts."""

_LEFT_OUT_BY_NONE = frozenset(
    {
        *("stream", "dead_letter_topic", "replay_topic", "time_column", "where", "channel"),
        *("slot", "publication", "replay_table", "deleted_column", "version_column"),
        *("event_type", "event_source", "subject", "timestamp_column"),
    }
)
"""Optional fields, for which a native template may return None."""


class RenderedFields(_Operator):
    """Mixin of operators and sensors, before Airflow's class."""

    file_fields: ClassVar[Mapping[str, str]] = {}
    """Fields that may name a file, with the suffix of such names."""

    _rendered_field: str | None = None
    _rendered_whole = False

    def resolve_template_files(self) -> None:
        """Replace file names by the files' content; called while the DAG is loaded."""
        for name, ending in self.file_fields.items():
            text = getattr(self, name, None)
            if isinstance(text, str) and text.endswith(ending):
                try:
                    setattr(self, name, arguments.as_written(text, ending, self.get_template_env()))
                except Exception:
                    self.log.exception("the file %r that %s= names can't be read", text, name)
        super().resolve_template_files()

    def _do_render_template_fields(
        self, parent: Any, template_fields: Iterable[str], context: Any, jinja_env: Any, seen_oids: set[int]
    ) -> None:
        """Render field by field, because each has its own type."""
        for name, ending in self.file_fields.items():
            if isinstance(text := getattr(parent, name), str):
                setattr(parent, name, arguments.as_written(text, ending, jinja_env))
        try:
            for name in template_fields:
                self._rendered_field, self._rendered_whole = name, isinstance(getattr(parent, name), str)
                super()._do_render_template_fields(parent, (name,), context, jinja_env, seen_oids)
        finally:
            self._rendered_field = None

    def _render(self, template: Any, context: Any, dag: Any = None) -> Any:
        """Render one text of the current field."""
        name = self._rendered_field
        airflows = name is None or (name in STRUCTURED and self._rendered_whole)
        if airflows or not self._should_render_native(dag or self.get_dag()):
            return super()._render(template, context, dag)
        parts = list(template.generate(context))
        if len(parts) > 1 or (parts and isinstance(parts[0], str)):
            return "".join(map(str, parts))
        found = parts[0] if parts else None
        if found is None and (name in STRUCTURED or name in _LEFT_OUT_BY_NONE):
            return None
        return found if name in _OF_ANY else str(found)
