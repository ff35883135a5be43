"""What the targets of all databases share: one session that may write, and changes applied by UPDATE and INSERT."""
