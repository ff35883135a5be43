"""The streams of a deployment, looked after without a command line."""

import json

import pytest

from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.errors import BusyError, ConfigurationError
from airflow_legacy_events.hooks.database import LegacyDatabaseHook
from airflow_legacy_events.streams.directory.copying import Copy
from airflow_legacy_events.streams.directory.entries import find_stream, list_streams
from airflow_legacy_events.streams.directory.exporting import export_streams, import_stream, read_exported
from airflow_legacy_events.streams.directory.locks import Signature, locked
from airflow_legacy_events.streams.directory.moves import Forget, Rewind, SetWatermark, carry_out, preview
from airflow_legacy_events.watermarks.registration import read_registration
from airflow_legacy_events.watermarks.variable import VariableWatermarkStore
from tests.airflow import metadata

pytestmark = pytest.mark.usefixtures("as_server")

ANNA = Signature("anna", "2026-11-24T10:00:00+00:00", "(user interface)")
RUN = {"dag": "shop", "task": "publish", "run": "r1", "map_index": -1, "try": 1, "host": "h", "pid": 7}
MOVES = {"set": SetWatermark(values=["2026-11-21"]), "rewind": Rewind(by="1d"), "forget": Forget()}


def load(stream):
    return VariableWatermarkStore().load(stream)


def test_a_stream_is_found_and_listed_where_it_stands(stream, mark):
    found = find_stream(stream)

    assert (found.condition, found.mark, found.registration.dag) == ("present", mark, "shop")
    assert found in list_streams()


@pytest.mark.parametrize("verb", ["set", "rewind"])
def test_a_move_is_signed_by_whoever_made_it(stream, mark, verb):
    new = carry_out(stream, MOVES[verb], ANNA)

    assert load(stream) == new
    assert (new.facts["person"], new.facts["set_at"]) == ("anna", "2026-11-24T10:00:00+00:00")


@pytest.mark.parametrize("verb", MOVES)
def test_a_preview_says_what_a_move_would_do_and_changes_nothing(stream, mark, verb):
    before, after = preview(stream, MOVES[verb])

    assert before == load(stream) == mark
    new = carry_out(stream, MOVES[verb], ANNA)
    assert (after is None) == (new is None)
    assert after is None or (after.values, after.receipt) == (new.values, new.receipt)


@pytest.mark.parametrize("verb", MOVES)
def test_while_a_run_works_on_the_stream_a_move_is_refused(stream, mark, verb):
    with (
        LegacyDatabaseHook("legacy_shop").get_database().lock(stream, RUN),
        pytest.raises(ConfigurationError, match="run 'r1'"),
    ):
        carry_out(stream, MOVES[verb], ANNA)

    assert load(stream) == mark


def test_a_run_that_meets_the_lock_is_told_who_holds_it_and_where(stream, mark):
    with (
        locked(stream, "legacy_shop", "rewind", ANNA, None),
        pytest.raises(BusyError) as busy,
        LegacyDatabaseHook("legacy_shop").get_database().lock(stream, RUN),
    ):
        raise AssertionError("two holders")

    assert "dag '(user interface)', task 'watermark rewind', run 'by anna at 2026-11-24T10:00:00+00:00'" in (
        busy.value.holder
    )


def test_a_stream_that_is_forgotten_is_in_no_list(stream, mark):
    carry_out(stream, Forget(), ANNA)

    assert stream not in [found.stream for found in list_streams()]
    with pytest.raises(ConfigurationError, match="has never begun"):
        find_stream(stream)


def test_a_copy_changes_nothing_before_it_is_carried_out(stream, mark):
    copy = Copy(stream, "table:watermarks")
    assert (copy.old, copy.new) == ("variable", "table:watermarks")
    assert load(stream) == mark

    copy.carry_out(None, ANNA)

    found = find_stream(stream)
    assert (found.mark.values, found.mark.facts["person"]) == (mark.values, "anna")
    assert read_registration(stream).store == "table:watermarks"
    assert load(stream) is None


def test_a_copy_over_two_connections_to_one_table_keeps_the_watermark(stream, mark, tmp_path):
    Copy(stream, "table:watermarks").carry_out(None, ANNA)
    metadata.put_connection("renamed_watermarks", conn_type="sqlite", host=str(tmp_path / "watermarks.db"))

    Copy(stream, "table:renamed_watermarks").carry_out(None, ANNA)

    assert find_stream(stream).mark.values == mark.values
    assert read_registration(stream).store == "table:renamed_watermarks"


def test_a_copy_whose_watermark_went_meanwhile_is_refused(stream, mark):
    copy = Copy(stream, "table:watermarks")
    VariableWatermarkStore().forget(stream)

    with pytest.raises(ConfigurationError, match="store 'variable' holds no watermark"):
        copy.carry_out("legacy_shop", ANNA)

    assert read_registration(stream).store == "variable"


def test_an_import_brings_back_what_was_exported(stream, mark):

    (found,) = read_exported(json.dumps(export_streams([stream])), "here")
    carry_out(stream, Forget(), ANNA)

    assert import_stream(found, None, replace=False, conn_id=None, signature=ANNA) == "variable"
    assert load(stream) == Watermark(mark.values, mark.receipt, {**mark.facts, "person": "anna", "set_at": ANNA.at})


def test_one_stream_that_can_not_be_read_hides_no_other(stream, mark):
    metadata.put_variable(f"legacy_events.watermark.{stream}", "nonsense")

    (found,) = [one for one in list_streams() if one.stream == stream]
    assert found.condition == "unreadable"
    assert "can't be understood" in found.error


@pytest.mark.parametrize(
    ("move", "values"), [(SetWatermark(values=["7"], conn_id="crm"), ("7",)), (Rewind(by="5", conn_id="crm"), ("4",))]
)
def test_the_watermark_of_a_kept_outbox_is_a_position(move, values):
    facts = {"kind": "outbox", "mode": "keep", "source": "crm", "columns": [["id", "bigint"]]}

    moved = move.moved("crm.outbox@outbox", Watermark(("9",), None, facts), None)

    assert (moved.values, moved.facts["mode"]) == (values, "keep")


@pytest.mark.parametrize("move", [SetWatermark(values=["7"], conn_id="crm"), Rewind(by="5")])
def test_the_watermark_of_an_outbox_can_not_be_moved(move):
    mark = Watermark(("9",), None, {"kind": "outbox", "source": "crm", "columns": [["id", "bigint"]]})

    with pytest.raises(ConfigurationError, match="an outbox has no position"):
        move.moved("crm.outbox@outbox", mark, None)
