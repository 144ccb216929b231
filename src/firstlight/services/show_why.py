"""``firstlight show --why``: where each part of an answer comes from, its age, what failed."""

import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from oslo_config import cfg

from firstlight.check.asking import seen_from_here
from firstlight.conf.source import reads_nova
from firstlight.documents import STATIC
from firstlight.instance import Answer, Instance, State
from firstlight.services.lookup import look_up
from firstlight.vendordata_client import Kind, NoObserver, VendorData, vendor_data

_PATIENCE = 5  # seconds for the status listener, which is on this machine
_MOST = 1024 * 1024  # bytes of its answer
_STATICS = "static"  # StaticJSON's key in vendor_data2.json; a target of that name is not shown
_NOTHING_HELD: Mapping[str, Any] = {"state": None}


class Stopwatch(NoObserver):
    """Remembers what each call of a target took, and what went wrong."""

    def __init__(self) -> None:
        self.calls: dict[str, tuple[Kind | None, float]] = {}

    def called(self, target: str, answer: Answer, kind: Kind | None, seconds: float) -> None:  # noqa: ARG002  the caller's signature
        """Remember one call."""
        self.calls[target] = kind, seconds


def explain(conf: cfg.ConfigOpts, name: str) -> Iterator[str]:
    """Lines for a person. The targets are asked now, and the running service is asked what it has.

    Raises:
        what :func:`firstlight.services.lookup.look_up` raises.
    """
    watch = Stopwatch()
    vendordata = vendor_data(conf, observer=watch)
    instance, seconds = _timed(lambda: look_up(conf, name))
    where = "Nova's databases" if reads_nova(conf) else "the embedded store"
    yield f"instance {instance.uuid}: {where}, read in {_ms(seconds)}"
    yield f"static: {_static(conf, vendordata)}"
    answers = vendordata.ask(instance)
    vendordata.close()
    service = _service(conf, instance) if answers else None
    shown = _Shown(conf, service)
    for target, answer in answers.items():
        asked = _asked(answer, *watch.calls.get(target, (None, 0.0)))
        yield f"target {target}: {asked}{shown.of(target, answer)}"
    if (fatal := shown.fatal(vendordata.required, answers)) is not None:
        yield fatal
    if service is not None:
        yield from _held_by(service)


def _timed(work: Callable[[], Instance]) -> tuple[Instance, float]:
    began = time.monotonic()
    return work(), time.monotonic() - began


def _static(conf: cfg.ConfigOpts, vendordata: VendorData) -> str:
    if STATIC not in conf.api.vendordata_providers:
        return f"not shown: {STATIC} is not in [api] vendordata_providers"
    path = conf.api.vendordata_jsonfile_path
    return vendordata.problem() or (f"{path}, read now" if path else "no file, so {}")


def _asked(answer: Answer, kind: Kind | None, seconds: float) -> str:
    said = f"{answer.state.value}, asked now, {_ms(seconds)}"
    if kind is not None:
        return f"{said}: {answer.reason} ({kind.value})"
    if answer.expires is None:
        return f"{said}; it may not be kept"
    return f"{said}; it may be kept for {answer.expires - answer.fetched:.0f} s"


class _Service(NamedTuple):
    """The running service; `told` is what it holds, or None: `trouble` says why that is unknown."""

    place: str
    told: Mapping[str, Any] | None
    trouble: object = None


class _Shown:
    """What guests see of each target at this moment, if that is not what it has just said."""

    def __init__(self, conf: cfg.ConfigOpts, service: _Service | None) -> None:
        self._static = STATIC in conf.api.vendordata_providers
        told = service.told if service is not None else None
        self._held = {one["target"]: one for one in (told or {}).get("targets", ())}

    def of(self, target: str, answer: Answer) -> str:
        """The end of the target's line."""
        if target == _STATICS and self._static:
            return f"; guests see nothing of it: the key {_STATICS} is {STATIC}'s"
        if answer.state is not State.FAILED:
            return ""
        held = self._held.get(target)
        if held is not None and _stands_in(held):
            return f"; guests see what it said {_when(held['fetched'])}"
        return "; guests see {}"

    def fatal(self, required: Collection[str], answers: Mapping[str, Answer]) -> str | None:
        """What guests see of the document, if a required target failed and nothing stands in."""
        lacking = [
            name
            for name, answer in answers.items()
            if name in required
            and answer.state is State.FAILED
            and not _stands_in(self._held.get(name, _NOTHING_HELD))
        ]
        if not lacking:
            return None
        return f"guests see 503 for vendor_data2.json: required and failed: {', '.join(lacking)}"


def _stands_in(held: Mapping[str, Any]) -> bool:
    return held["state"] is not None and (held["fresh"] or held["stands_in"] > 0)


def _service(conf: cfg.ConfigOpts, instance: Instance) -> _Service:
    """What guests are shown at this moment, by the process that serves them."""
    place = seen_from_here(conf.firstlight.status_listen, conf.firstlight.status_port)
    try:
        # Never by a proxy of the environment's: it is this machine's own loopback.
        with build_opener(ProxyHandler({})).open(
            f"http://{place}/about/{instance.uuid}", timeout=_PATIENCE
        ) as answer:
            return _Service(place, json.loads(answer.read(_MOST)))
    except (URLError, OSError, ValueError) as error:
        return _Service(place, None, getattr(error, "reason", error))


def _held_by(service: _Service) -> Iterator[str]:
    if service.told is None:
        yield (
            f"service: none answers at {service.place} ({service.trouble}), so what guests are "
            "shown from its memory is not known"
        )
        return
    yield f"service: process {service.told['process']} at {service.place}"
    for account in service.told["targets"]:
        yield from _account(account)


def _account(account: Mapping[str, Any]) -> Iterator[str]:
    required = ", required" if account["required"] else ""
    yield f"  target {account['target']} ({account['url']}{required}): {_held(account)}"
    failure = account["failure"]
    if failure is not None:
        yield f"    failed {_when(failure['when'])}: {failure['reason']} ({failure['kind']})"
    if account["retry_in"] is not None:
        yield f"    failed too often; it is asked again in {account['retry_in']:.0f} s"


def _held(account: Mapping[str, Any]) -> str:
    if account["state"] is None:
        return "is being asked" if account["asking"] else "nothing is kept"
    said = f"{account['state']}, said {_when(account['fetched'])}"
    if account["fresh"]:
        return f"{said}, fresh"
    return f"{said}, stale; it stands in for a failure for {account['stands_in']:.0f} s more"


def _when(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
