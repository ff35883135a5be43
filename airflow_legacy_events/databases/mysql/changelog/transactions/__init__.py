"""From the events of the binlog to the changes of committed transactions."""
