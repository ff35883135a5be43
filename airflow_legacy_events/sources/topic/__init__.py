"""Source that reads topics up to an end fixed at the start; its positions are the watermark."""
