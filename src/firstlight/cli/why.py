"""``firstlight show --why``: where each part of an answer comes from, its age, what failed."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from oslo_config import cfg

from firstlight.check.asking import seen_from_here
from firstlight.cli.lookup import look_up
from firstlight.conf.source import reads_nova
from firstlight.instance import Answer, Instance
from firstlight.targets import Kind, Nobody, VendorData, vendor_data

_PATIENCE = 5  # seconds for the status listener, which is on this machine
_MOST = 1024 * 1024  # bytes of its answer


class Stopwatch(Nobody):
    """Remembers what each call of a target took, and what went wrong."""

    def __init__(self) -> None:
        self.calls: dict[str, tuple[Kind | None, float]] = {}

    def called(self, target: str, answer: Answer, kind: Kind | None, seconds: float) -> None:  # noqa: ARG002
        """Remember one call."""
        self.calls[target] = kind, seconds


def explain(conf: cfg.ConfigOpts, name: str) -> Iterator[str]:
    """Lines for a person. The targets are asked now, and the running service is asked what it has.

    Raises:
        what :func:`firstlight.cli.lookup.look_up` raises.
    """
    watch = Stopwatch()
    vendordata = vendor_data(conf, observer=watch)
    instance, seconds = _timed(lambda: look_up(conf, name))
    where = "Nova's databases" if reads_nova(conf) else "the embedded store"
    yield f"instance {instance.uuid}: {where}, read in {_ms(seconds)}"
    yield f"static: {_static(conf, vendordata)}"
    answers = vendordata.ask(instance)
    vendordata.close()
    for target, answer in answers.items():
        yield f"target {target}: {_asked(answer, *watch.calls.get(target, (None, 0.0)))}"
    yield from _service(conf, instance, bool(answers))


def _timed(work: Callable[[], Instance]) -> tuple[Instance, float]:
    began = time.monotonic()
    return work(), time.monotonic() - began


def _static(conf: cfg.ConfigOpts, vendordata: VendorData) -> str:
    path = conf.api.vendordata_jsonfile_path
    return vendordata.problem() or (f"{path}, read now" if path else "no file, so {}")


def _asked(answer: Answer, kind: Kind | None, seconds: float) -> str:
    said = f"{answer.state.value}, asked now, {_ms(seconds)}"
    if kind is not None:
        return f"{said}: {answer.reason} ({kind.value}); guests see {{}}"
    if answer.expires is None:
        return f"{said}; it may not be kept"
    return f"{said}; it may be kept for {answer.expires - answer.fetched:.0f} s"


def _service(conf: cfg.ConfigOpts, instance: Instance, dynamic: bool) -> Iterator[str]:
    """What guests are shown at this moment, by the process that serves them."""
    if not dynamic:
        return
    place = seen_from_here(conf.firstlight.status_listen, conf.firstlight.status_port)
    try:
        # Never by a proxy of the environment's: it is this machine's own loopback.
        with build_opener(ProxyHandler({})).open(
            f"http://{place}/about/{instance.uuid}", timeout=_PATIENCE
        ) as answer:
            told = json.loads(answer.read(_MOST))
    except (URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        yield f"service: none answers at {place} ({reason}), so what guests are shown is not known"
        return
    yield f"service: process {told['process']} at {place}"
    for account in told["targets"]:
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
