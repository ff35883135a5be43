"""What horizons cost: statements, time of runs, and what writers notice of polls."""
