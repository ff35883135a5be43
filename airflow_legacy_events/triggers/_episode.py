"""Episode of a state: reported once, however long it lasts and whichever triggerer sees it.

What was reported is kept in an Airflow Variable, which outlives triggerers.
"""

from __future__ import annotations

from airflow_legacy_events.watermarks import airflow_variables

PREFIX = "legacy_events.seen."


class Episode:
    """The state of one connector, for one waiter.

    Args:
        connector: name of the connector, with its connection.
        waiter: that tells who waits.
    """

    def __init__(self, connector: str, waiter: str) -> None:
        self._key = airflow_variables.variable_key(PREFIX, f"{connector}#{waiter}")
        self._reported: bool | None = None

    def begin(self, mark: str) -> bool:
        """Return whether a state is to be reported: not if it lasts since it was.

        It is marked before it is reported: if the process dies in between, it is not.

        Args:
            mark: of what was found; an equal one after a restart of the triggerer is the same episode.

        Raises:
            WatermarkError: Airflow's Variables can't be read or written.
        """
        if self._reported:
            return False
        if self._reported is None and airflow_variables.read(self._key) == mark:
            self._reported = True
            return False
        airflow_variables.write(self._key, mark)
        self._reported = True
        return True

    def end(self) -> None:
        """Take note that the state is over, so that it is reported when it comes again.

        Raises:
            WatermarkError: Airflow's Variables can't be read or written.
        """
        if self._reported or (self._reported is None and airflow_variables.read(self._key)):
            airflow_variables.delete(self._key)
        self._reported = False
