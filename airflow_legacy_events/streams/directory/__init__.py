"""The streams of a deployment: listed, moved, copied and exported by a person, from a command or a user interface.

Every function runs as a server of the deployment, and raises our errors with a message for that person.
"""
