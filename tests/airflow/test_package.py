"""The wheel as Airflow finds it: entry points, provider info, commands, plugin, and what importing it costs."""

import importlib
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import jsonschema
import pytest

from airflow_legacy_events.provider_info import get_provider_info
from tests.airflow import metadata

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The wheel, built from the sources as they stand."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def airflow(wheel, tmp_path_factory):
    """Returns a function that calls `airflow` where only the wheel's content is installed."""
    folder = tmp_path_factory.mktemp("installed")
    zipfile.ZipFile(wheel).extractall(folder)
    metadata.migrated()

    def airflow(*words):
        environment = {**os.environ, "PYTHONPATH": str(folder), "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR"}
        return subprocess.run(
            [sys.executable, "-m", "airflow", *words],
            env=environment,
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    return airflow


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()

    assert {name.split("/")[0].split("-")[0] for name in names} == {"airflow_legacy_events"}
    assert "airflow_legacy_events/py.typed" in names
    assert not [name for name in names if "/tests/" in name or name.endswith(".pyc")]
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "airflow_legacy_events").rglob("*.py")}
    assert modules <= set(names)


def test_the_page_of_providers_links_to_a_page_that_the_project_names(wheel):
    """Airflow reads it from the distribution's metadata, and makes up a page of its own where there is none."""
    with zipfile.ZipFile(wheel) as content:
        (name,) = [one for one in content.namelist() if one.endswith(".dist-info/METADATA")]
        metadata = content.read(name).decode()

    urls = dict(re.findall(r"^Project-URL: (\w+), (\S+)$", metadata, re.MULTILINE))
    assert urls["Documentation"].startswith("https://")


def test_the_entry_points_of_the_project_resolve():
    points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]

    assert {group: [dotted(name) for name in found.values()] for group, found in points.items()} == {
        "apache_airflow_provider": [get_provider_info],
        "airflow.plugins": [dotted("airflow_legacy_events.ui.plugin:LegacyEventsPlugin")],
    }


def dotted(path):
    module, _, name = path.replace(":", ".").rpartition(".")
    return getattr(importlib.import_module(module), name)


def test_the_provider_info_is_valid_and_names_what_is_there():
    import airflow

    info = get_provider_info()

    schema = json.loads((Path(airflow.__file__).parent / "provider_info.schema.json").read_text())
    jsonschema.validate(info, schema)
    for kind in ("operators", "hooks", "sensors", "triggers"):
        for integration in info[kind]:
            for module in integration["python-modules"]:
                importlib.import_module(module)
    types = [one["hook-class-name"] for one in info["connection-types"]]
    for path in (*types, *info["cli"], *info["extra-links"], *(plugin["plugin-class"] for plugin in info["plugins"])):
        assert callable(dotted(path))


def test_airflow_lists_the_provider_and_the_plugin(airflow):
    providers = json.loads(airflow("providers", "list", "-o", "json"))
    plugins = json.loads(airflow("plugins", "-o", "json"))

    assert [one["version"] for one in providers if one["package_name"] == "airflow-legacy-events"] == ["0.1.0"]
    assert "legacy_events" in {one["name"] for one in plugins}


def test_airflow_knows_the_settings_with_their_defaults(airflow):
    assert airflow("config", "get-value", "legacy_events", "topic_url_template").strip() == ""


def test_airflow_has_the_commands(airflow):
    text = airflow("legacy-events", "watermark", "--help")

    assert {"show", "list", "set", "rewind", "forget", "copy", "export", "import"} <= set(text.split())


IMPORTS = """
import sys
import airflow.sdk
before = set(sys.modules)
import {module}
print(*sorted(set(sys.modules) - before))
"""


@pytest.mark.parametrize(
    "module",
    [
        "airflow_legacy_events.operators.changelog",
        "airflow_legacy_events.operators.connect",
        "airflow_legacy_events.operators.outbox",
        "airflow_legacy_events.operators.query",
        "airflow_legacy_events.operators.slots",
        "airflow_legacy_events.sensors.connect",
        "airflow_legacy_events.sensors.outbox",
        "airflow_legacy_events.sensors.pending",
        "airflow_legacy_events.hooks.database",
        "airflow_legacy_events.hooks.broker",
        "airflow_legacy_events.cli",
        "airflow_legacy_events.provider_info",
    ],
)
def test_importing_what_a_dag_or_every_command_imports_loads_no_library(module):
    command = [sys.executable, "-c", IMPORTS.format(module=module)]
    loaded = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout.split()

    heavy = {
        "sqlalchemy",
        "confluent_kafka",
        "psycopg",
        "MySQLdb",
        "sqlite3",
        "msgspec",
        "airflow.models",
        "airflow.providers",
    }
    assert {name for name in loaded if name.split(".")[0] in heavy or ".".join(name.split(".")[:2]) in heavy} == set()


def test_the_core_knows_no_airflow():
    code = "import sys, pkgutil, importlib, airflow_legacy_events.core as core\n"
    code += "[importlib.import_module(one.name) for one in pkgutil.iter_modules(core.__path__, core.__name__ + '.')]\n"
    code += "print('airflow' in sys.modules)"
    command = [sys.executable, "-c", code]

    assert subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout == "False\n"
