"""Mutants: each rule of the horizons, taken out of a copy of the tree, must turn a test red."""
