"""What becomes of a read from which a policy of row-level security may hide rows."""

FAIL = "fail"
"""It is an error: hidden rows would look like no rows."""

APPLY = "apply"
"""The policy is meant: what it shows is what is read."""

ROW_SECURITY = (FAIL, APPLY)
