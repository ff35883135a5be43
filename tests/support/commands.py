"""What a person sees of a command that is refused, and what the default store holds after it."""

import pytest

from airflow_legacy_events.watermarks.variable import VariableWatermarkStore


def refused(call, *words):
    with pytest.raises(SystemExit) as ended:
        call(*words)
    return str(ended.value)


def load(stream):
    return VariableWatermarkStore().load(stream)
