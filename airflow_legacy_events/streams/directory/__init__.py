"""Streams of a deployment: a person lists, moves, copies and exports them from a command or a user interface.

Every function runs as a server of the deployment, and raises our errors with a message for that person.
"""
