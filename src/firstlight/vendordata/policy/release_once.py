"""Secrets that an instance gets once a boot: when, and whether that was in this boot.

What is written down is when which instance was answered, never what.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from oslo_config import cfg

from firstlight.conf import ConfigError
from firstlight.vendordata.contract import Clients, Context, Need, ProviderFailed
from firstlight.vendordata.openstack import Cloud
from firstlight.vendordata.policy.provider_policy import Withheld

# What Nova does that ends with the instance's system starting.
BOOTS = frozenset(
    {
        *("create", "start", "reboot", "rebuild", "rescue", "unrescue", "unshelve"),
        *("evacuate", "migrate", "resize", "revertResize"),
    }
)

# After so many seconds nobody asks for a boot any more that is not the last.
_FORGOTTEN = 30 * 24 * 3600

_SCHEMA = """
CREATE TABLE IF NOT EXISTS released (
    provider TEXT NOT NULL,
    instance TEXT NOT NULL,
    boot TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (provider, instance)
)
"""
_NOTE = """
INSERT INTO released VALUES (?, ?, ?, ?) ON CONFLICT (provider, instance)
DO UPDATE SET boot = excluded.boot, at = excluded.at WHERE boot != excluded.boot
"""


class Ledger:
    """A small SQLite file, shared by all workers on this host. It survives restarts.

    Raises:
        ConfigError: it cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            with self._open() as database:
                database.execute(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise ConfigError(
                f"{path}, where release_once keeps its times, cannot be written: {error}; see "
                "[DEFAULT] state_path"
            ) from error

    def released(self, provider: str, instance: str, boot: str) -> float | None:
        """When `provider` first answered this boot, in seconds since the epoch; None: not yet."""
        query = "SELECT at FROM released WHERE provider = ? AND instance = ? AND boot = ?"
        with self._asked() as database:
            found = database.execute(query, (provider, instance, boot)).fetchone()
        return None if found is None else float(found[0])

    def note(self, provider: str, instance: str, boot: str, at: float) -> None:
        """`provider` answered this boot; the first time counts."""
        with self._asked() as database:
            database.execute(_NOTE, (provider, instance, boot, at))
            database.execute("DELETE FROM released WHERE at < ?", (at - _FORGOTTEN,))

    @contextmanager
    def _asked(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._open() as database:
                yield database
        except sqlite3.Error as error:
            raise ProviderFailed(
                f"When this was last released could not be read or noted in {self._path}: {error}."
            ) from error

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=2)) as database, database:
            yield database


class OncePerBoot:
    """Answers of `provider` for `window` seconds from the first to each boot."""

    def __init__(
        self,
        provider: str,
        cloud: Cloud,
        ledger: Ledger,
        *,
        window: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._provider = provider
        self._cloud = cloud
        self._ledger = ledger
        self._window = window
        self._clock = clock

    def check(self, context: Context) -> None:
        """See :class:`firstlight.vendordata.policy.provider_policy.Release`."""
        first = self._ledger.released(self._provider, context.instance_id, self._boot(context))
        if first is not None and self._clock() >= first + self._window:
            raise Withheld("It was released to this boot, and the time to ask again is over.")

    def note(self, context: Context) -> None:
        """See :class:`firstlight.vendordata.policy.provider_policy.Release`."""
        boot = self._boot(context)
        self._ledger.note(self._provider, context.instance_id, boot, self._clock())

    def _boot(self, context: Context) -> str:
        """The id of the request to Nova that led to the boot."""
        actions = self._cloud.actions(context)
        boots = [action for action in actions if action.get("action") in BOOTS]
        if not boots:
            raise Withheld("Nova knows of no boot of this instance.")
        last = max(boots, key=lambda action: str(action.get("start_time")))
        return str(last.get("request_id"))


class ReleaseOnce:
    """Makes what providers with ``release_once`` need; the ledger is opened for the first."""

    def __init__(self, conf: cfg.ConfigOpts, clients: Clients) -> None:
        self._path = Path(conf.state_path) / "released.sqlite"
        self._clients = clients
        self._ledger: Ledger | None = None

    def once_per_boot(self, provider: str, window: float) -> OncePerBoot:
        """Raises ConfigError: ``[service_auth]`` or the state directory cannot be used."""
        if self._ledger is None:
            self._ledger = Ledger(self._path)
        cloud = self._clients.cloud({Need.SERVER})
        return OncePerBoot(provider, cloud, self._ledger, window=window)
