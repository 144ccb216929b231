"""Both kinds of vendor data, as the operator has configured them."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from oslo_config import cfg

from firstlight.health import Dependency
from firstlight.instance import Answer, Instance, State
from firstlight.vendordata_client.cache.response_cache import ResponseCache
from firstlight.vendordata_client.dynamic import Answers, AsksTargets, DynamicJSON
from firstlight.vendordata_client.observer import TargetObserver
from firstlight.vendordata_client.options import read_policies
from firstlight.vendordata_client.session import open_session
from firstlight.vendordata_client.static import StaticJSON, StaticUnavailable
from firstlight.vendordata_client.status import TargetStatus
from firstlight.vendordata_client.targets import parse

_MIB = 1024 * 1024


class VendorData:
    """What the metadata service and the config drive hold.

    Args:
        static: StaticJSON's file.
        dynamic: the targets, or a layer around them; None: DynamicJSON is not enabled.
        required: targets without which nothing of what they say may be shown.
        dependencies: what the targets need besides themselves.
    """

    def __init__(
        self,
        static: StaticJSON,
        dynamic: AsksTargets | None = None,
        *,
        required: Collection[str] = (),
        dependencies: Sequence[Dependency] = (),
    ) -> None:
        self._static = static
        self._dynamic = dynamic
        self.required = frozenset(required)
        self.dependencies = tuple(dependencies)

    def static(self) -> Any:
        """The value StaticJSON serves.

        Raises:
            firstlight.vendordata_client.StaticUnavailable: there is none to serve.
        """
        return self._static.value()

    def ask(self, instance: Instance, deadline: float | None = None) -> Answers:
        """What every dynamic target says about `instance`, failures included. Blocks.

        Args:
            instance: who it is about.
            deadline: seconds; None: as configured.
        """
        return {} if self._dynamic is None else self._dynamic.ask(instance, deadline)

    def begin(
        self, instance: Instance, *, only: Collection[str] | None = None, ahead: bool = False
    ) -> "Answers | Future[Answers]":
        """The same without waiting, see :class:`firstlight.vendordata_client.AsksTargets`."""
        if self._dynamic is None:
            return {}
        return self._dynamic.begin(instance, only=only, ahead=ahead)

    def outdate(self, uuid: str | None) -> None:
        """This instance (None: any) has changed, so that its targets must be asked again."""
        if self._dynamic is not None:
            self._dynamic.outdate(uuid)

    def shelves(self) -> Mapping[str, ResponseCache]:
        """What is kept of each target's answers, by its name; for metrics."""
        return {} if self._dynamic is None else self._dynamic.shelves()

    def accounts(self, uuid: str) -> Sequence[TargetStatus]:
        """How things stand with this instance, target by target; for operators."""
        return () if self._dynamic is None else self._dynamic.accounts(uuid)

    def fatal(self, answers: Mapping[str, Answer]) -> str | None:
        """Why these answers may not be shown at all, or None: a required one has failed.

        What stands in for a target that fails, is an answer: that one was good for this very
        question.
        """
        failures = (
            f"required target {name} {answer.reason}"
            for name, answer in answers.items()
            if answer.state is State.FAILED and name in self.required
        )
        return next(failures, None)

    def problem(self) -> str | None:
        """What is wrong with the static file, for ``/readyz``; None: nothing."""
        return self._static.problem()

    def missing(self) -> str | None:
        """Why there is nothing to serve of it, not even a version that was good once."""
        try:
            self._static.value()
        except StaticUnavailable as error:
            return str(error)
        return None

    def close(self) -> None:
        """Give back threads and connections; nothing may be asked afterwards."""
        if self._dynamic is not None:
            self._dynamic.close()


def vendor_data(
    conf: cfg.ConfigOpts,
    *,
    clock: Callable[[], float] = time.time,
    timer: Callable[[], float] = time.monotonic,
    observer: TargetObserver | None = None,
) -> VendorData:
    """Vendor data by a nova.conf's ``[api]`` and ``[vendordata_dynamic_auth]``; sends nothing yet.

    Raises:
        ValueError: an option has a value that cannot work; the message names it.
    """
    static = StaticJSON(conf.api.vendordata_jsonfile_path, clock=clock)
    if "DynamicJSON" not in conf.api.vendordata_providers:
        return VendorData(static)
    targets = parse(conf.api.vendordata_dynamic_targets)
    terms = read_policies(conf, targets)
    connections = max((each.call.in_flight for each in terms.values()), default=1)
    session = open_session(conf, connections)
    dynamic = DynamicJSON(
        targets,
        session,
        terms=terms,
        deadline=conf.firstlight.vendordata_deadline,
        room=conf.firstlight.vendordata_cache_size * _MIB,
        clock=clock,
        timer=timer,
        observer=observer,
    )
    required = [name for name, each in terms.items() if each.required]
    keystone = [] if session.auth is None else [dynamic.keystone]
    return VendorData(static, dynamic, required=required, dependencies=keystone)
