"""The real servers that tests and benchmarks talk to: one module each, usable without pytest.

Each listens on 127.0.0.1 only, keeps its files outside the repository, and ends with the process that started it.
A server that is already there is used instead when its address is given in the environment: `servers` lists the
variables, and `python -m tests.services -- COMMAND` starts the servers once and sets them.
"""
