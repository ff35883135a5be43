"""Values of the binlog's types, as the texts that the query operators read."""
