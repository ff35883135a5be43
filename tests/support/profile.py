"""How a run of the tests goes, for all who ask."""

import os

LONG = os.environ.get("LEGACY_EVENTS_TEST_PROFILE") == "long"
"""Whether proofs run in their long form, as `make proofs` lets them."""

REAL_AIRFLOW = "real-airflow"
"""The group of tests that share one worker of pytest-xdist, since they share a deployment."""
