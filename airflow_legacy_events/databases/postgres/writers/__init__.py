"""PostgreSQL: which open transactions may still commit rows below a position."""
