"""How long the proofs of this run are."""

import os

LONG = os.environ.get("LEGACY_EVENTS_TEST_PROFILE") == "long"
"""Whether proofs run in their long form, as `make proofs` lets them."""
