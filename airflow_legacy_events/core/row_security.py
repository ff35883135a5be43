"""Row-level security: handling of reads from which a policy may hide rows."""

FAIL = "fail"
"""Raise an error: hidden rows would look like missing rows."""

APPLY = "apply"
"""The policy is intended: only the rows it shows are read."""

ROW_SECURITY = (FAIL, APPLY)
