"""What a run costs, in one interleaved run beside the floors and the usual ways."""
