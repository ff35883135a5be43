"""The one task of a child process, as its specification says."""

import json
import os

from airflow.sdk import DAG

from tests.benchmarks import tasks
from tests.benchmarks.deployment import SPECIFICATION

specification = json.loads(os.environ[SPECIFICATION])

with DAG("benchmark", schedule=None):
    tasks.KINDS[specification["kind"]](specification)
