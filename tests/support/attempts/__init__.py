"""Attempts of people without rights: what each plants, and how a run of ours must end."""
