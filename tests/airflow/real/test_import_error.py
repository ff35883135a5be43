"""A DAG file that can't be imported for a while: Airflow forgets what it knows of its DAGs, the stores must not."""

import pytest

from tests.support.airflow_features import STORES
from tests.support.profile import SLOW_SECONDS

# With the start of Airflow, on a machine that others use too; how far Airflow is, the state of an asset tells.
pytestmark = [pytest.mark.timeout(SLOW_SECONDS), pytest.mark.airflow33]


def test_no_store_loses_its_watermark_by_an_import_error(real_airflow):
    airflow, client = real_airflow, real_airflow.client
    airflow.make_table("imported", 3)
    client.unpause("imported")
    client.wait_dags(["removed"])
    run(client, 1)
    assert control_state(client) == ["watermark"]

    (airflow.dags / "removed.py").unlink()
    file = airflow.dags / "imported.py"
    sound = file.read_text()
    file.write_text("import nothing_of_that_name\n")
    # The state of an asset that is only an outlet goes: Airflow has cleaned up after what it takes for a deleted DAG.
    client.wait(lambda: control_state(client) == [], "Airflow cleaning up", 240)
    file.write_text(sound)
    client.wait(lambda: not client.call("GET", "/importErrors")["import_errors"], "the file being imported again")
    client.wait(lambda: not client.call("GET", "/dags/imported")["is_stale"], "the DAG being there again")

    airflow.insert("imported", 4, 5)
    run(client, 2)
    assert {store: airflow.ids(f"real.imported_{store}") for store in STORES} == {
        store: [1, 2, 3, 4, 5] for store in STORES
    }


def run(client, day):
    """Watermarks in XComs need a run with a logical date."""
    run_id = client.trigger("imported", logical_date=f"2026-11-{day:02}T00:00:00Z")
    assert client.wait_run("imported", run_id) == "success"


def control_state(client):
    """The keys of the state of the asset `control`; none where the asset is gone, too."""
    found = [one for one in client.call("GET", "/assets", name_pattern="control")["assets"] if one["name"] == "control"]
    return [
        state["key"]
        for asset in found
        for state in client.call("GET", f"/assets/{asset['id']}/state-store")["asset_state_store"]
    ]
