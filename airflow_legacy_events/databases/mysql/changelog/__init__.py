"""Change log of MariaDB and MySQL: the binlog."""
