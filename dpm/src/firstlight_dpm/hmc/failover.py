"""Moving to another HMC when the one in use is lost.

zhmcclient chooses among several when it logs on, and never again, so a session whose HMC is gone
would stay with it.
"""

import logging
from collections.abc import Callable
from typing import Any

import zhmcclient

LOG = logging.getLogger(__name__)


class MovingSession(zhmcclient.Session):
    """zhmcclient's session; with several HMCs, it logs on anew after a connection was lost.

    The request that met the loss fails, because nobody knows whether it was carried out.
    """

    _lost = False

    def get(self, *args: Any, **kwargs: Any) -> Any:
        """As zhmcclient's."""
        return self._asked(super().get, *args, **kwargs)

    def post(self, *args: Any, **kwargs: Any) -> Any:
        """As zhmcclient's."""
        return self._asked(super().post, *args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """As zhmcclient's."""
        return self._asked(super().delete, *args, **kwargs)

    def _asked(self, ask: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if not kwargs.get("logon_required", True):  # logging on and off, by zhmcclient itself
            return ask(*args, **kwargs)
        if self._lost:
            before = self.actual_host
            self.logon(always=True)
            self._lost = False
            if self.actual_host != before:
                LOG.warning("HMC %s does not answer; %s is asked now", before, self.actual_host)
        try:
            return ask(*args, **kwargs)
        except zhmcclient.ConnectionError:
            self._lost = isinstance(self.host, list) and len(self.host) > 1
            raise
