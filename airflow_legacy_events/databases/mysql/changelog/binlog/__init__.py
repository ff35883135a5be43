"""Decoding of the binlog's bytes; nothing here asks a server."""
