"""Rows in the order of nothing, by the transaction that wrote them: `watermark_columns=["xmin"]`."""
