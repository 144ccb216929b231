"""A service of OpenStack: its API, and the programs that work behind it."""

from collections.abc import Sequence

from cloud.program import Program
from lab.uwsgi import Uwsgi


class Service:
    """Whoever made it ends it with :meth:`stop`."""

    def __init__(self, api: Uwsgi, programs: Sequence[Program]) -> None:
        self.api = api
        self._programs = programs

    def start(self) -> None:
        """Serve; returns when the API answers."""
        for program in self._programs:
            program.start()
        self.api.start()

    def stop(self) -> None:
        """Serve no more."""
        self.api.stop()
        for program in self._programs:
            program.kill()
