"""Both kinds of vendor data, as the operator has configured them."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from oslo_config import cfg

from firstlight.instance import Answer, Instance, State
from firstlight.targets.call import Settings
from firstlight.targets.dynamic import Asks, DynamicJSON, Observe
from firstlight.targets.session import open_session
from firstlight.targets.static import StaticJSON
from firstlight.targets.targets import parse


class VendorData:
    """What the metadata service and the config drive hold.

    Args:
        static: StaticJSON's file.
        dynamic: the targets, or a layer around them; None: DynamicJSON is not enabled.
        failure_fatal: ``[api] vendordata_dynamic_failure_fatal``.
    """

    def __init__(
        self, static: StaticJSON, dynamic: Asks | None = None, *, failure_fatal: bool = False
    ) -> None:
        self._static = static
        self._dynamic = dynamic
        self._failure_fatal = failure_fatal

    def static(self) -> Any:
        """The value StaticJSON serves.

        Raises:
            firstlight.targets.StaticUnavailable: there is none to serve.
        """
        return self._static.value()

    def ask(self, instance: Instance, deadline: float | None = None) -> dict[str, Answer]:
        """What every dynamic target says about `instance`, failures included. Blocks.

        Args:
            instance: who it is about.
            deadline: seconds; None: as configured.
        """
        return {} if self._dynamic is None else self._dynamic.ask(instance, deadline)

    def fatal(self, answers: Mapping[str, Answer]) -> str | None:
        """Why these answers may not be shown at all, or None."""
        if not self._failure_fatal:
            return None
        failures = (
            f"target {name} {answer.reason}"
            for name, answer in answers.items()
            if answer.state is State.FAILED
        )
        return next(failures, None)

    def problem(self) -> str | None:
        """What is wrong with the static file, for ``/readyz``; None: nothing."""
        return self._static.problem()

    def close(self) -> None:
        """Give back threads and connections; nothing may be asked afterwards."""
        if self._dynamic is not None:
            self._dynamic.close()


def vendor_data(
    conf: cfg.ConfigOpts,
    *,
    clock: Callable[[], float] = time.time,
    timer: Callable[[], float] = time.monotonic,
    observe: Observe | None = None,
) -> VendorData:
    """Vendor data by a nova.conf's ``[api]`` and ``[vendordata_dynamic_auth]``; sends nothing yet.

    Raises:
        ValueError: an option has a value that cannot work; the message names it.
    """
    dynamic = None
    if "DynamicJSON" in conf.api.vendordata_providers:
        settings = Settings(
            connect_timeout=conf.api.vendordata_dynamic_connect_timeout,
            read_timeout=conf.api.vendordata_dynamic_read_timeout,
            ca_file=conf.api.vendordata_dynamic_ssl_certfile or None,
        )
        dynamic = DynamicJSON(
            parse(conf.api.vendordata_dynamic_targets),
            open_session(conf, settings.in_flight),
            settings,
            deadline=conf.firstlight.vendordata_deadline,
            clock=clock,
            timer=timer,
            observe=observe,
        )
    return VendorData(
        StaticJSON(conf.api.vendordata_jsonfile_path, clock=clock),
        dynamic,
        failure_fatal=conf.api.vendordata_dynamic_failure_fatal,
    )
