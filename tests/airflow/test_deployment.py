"""The page of deployment: connections from where it says, and blocks that are what they seem."""

import configparser
import json
import re
import tomllib
import uuid
from pathlib import Path

import pytest
import yaml

from tests.airflow import metadata

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations" / "deployment.md").read_text()
DAG = """
from airflow.sdk import DAG
from airflow_legacy_events.operators.query import IncrementalQueryOperator

with DAG({dag_id!r}, schedule=None):
    IncrementalQueryOperator(
        task_id="publish", source_conn_id={source!r}, broker_conn_id={kafka!r}, table="orders",
        watermark_columns=["updated_at"], topic={topic!r},
    )
"""


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def run(source, kafka, topic):
    dag_id = f"dag_{uuid.uuid4().hex[:12]}"
    text = DAG.format(dag_id=dag_id, source=source, kafka=kafka, topic=topic)
    return metadata.pulled(metadata.run_dag(text, dag_id), "publish")


@pytest.fixture
def forgotten():
    """Airflow keeps the secrets backends of a process from 3.3 on."""
    from airflow.sdk import configuration

    forget = getattr(configuration, "clear_secrets_backends_cache", lambda: None)
    yield forget
    forget()


def test_both_connections_come_from_a_secrets_backend(shop, topics, topic, tmp_path, monkeypatch, forgotten):
    [(_, _, path)] = shop.execute("PRAGMA database_list")
    kept = {
        "vault_shop": {"conn_type": "sqlite", "host": path},
        "vault_kafka": {"conn_type": "kafka", "extra": {"bootstrap.servers": topics.kafka.bootstrap}},
    }
    file = tmp_path / "connections.yaml"
    file.write_text(yaml.safe_dump(kept))
    monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND", "airflow.secrets.local_filesystem.LocalFilesystemBackend")
    monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND_KWARGS", json.dumps({"connections_file_path": str(file)}))
    forgotten()
    assert [run("vault_shop", "vault_kafka", topic)["events"] for _ in range(2)] == [3, 0]
    assert len(topics.read(topic)) == 3


def test_both_connections_come_from_variables_of_the_environment(shop, topics, topic, monkeypatch):
    [(_, _, path)] = shop.execute("PRAGMA database_list")
    extra = {"bootstrap.servers": topics.kafka.bootstrap}
    monkeypatch.setenv("AIRFLOW_CONN_ENV_SHOP", json.dumps({"conn_type": "sqlite", "host": path}))
    monkeypatch.setenv("AIRFLOW_CONN_ENV_KAFKA", json.dumps({"conn_type": "kafka", "extra": extra}))
    assert run("env_shop", "env_kafka", topic)["events"] == 3


def test_the_values_of_the_chart_are_yaml_and_name_settings_that_there_are():
    from airflow_legacy_events.provider_info import get_provider_info

    [values] = map(yaml.safe_load, blocks("yaml"))
    assert set(values) == {"defaultAirflowRepository", "defaultAirflowTag", "config", "workers"}
    assert values["config"]["legacy_events"].keys() <= get_provider_info()["config"]["legacy_events"]["options"].keys()
    assert isinstance(values["workers"]["terminationGracePeriodSeconds"], int)


def test_the_images_install_extras_that_there_are():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    files = blocks("dockerfile")
    named = {
        one
        for file in files
        for found in re.findall(r"airflow-legacy-events\[(.*?)\]", file)
        for one in found.split(",")
    }
    assert named
    assert named <= extras.keys()
    words = {line.split()[0] for file in files for line in file.splitlines() if line}
    assert words <= {"FROM", "USER", "RUN", "COPY"}


def test_the_secrets_backend_is_set_where_airflow_reads_it():
    [block] = blocks("ini")
    parsed = configparser.ConfigParser()
    parsed.read_string(block)
    assert list(parsed["secrets"]) == ["backend", "backend_kwargs"]
    assert "variables_path" not in json.loads(parsed["secrets"]["backend_kwargs"])
