"""Configs of connectors, as plain data for `ConnectorUpsertOperator`."""
