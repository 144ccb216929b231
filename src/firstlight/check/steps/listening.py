"""The services themselves: do they answer, and what do they say of themselves?"""

import json
from collections.abc import Iterator

from oslo_config import cfg

from firstlight.check.asking import Unanswered, ask, seen_from_here
from firstlight.check.option_location import place
from firstlight.check.step import Finding, Step, broken, ok, warning
from firstlight.metadata.identity import sign

GUESTS, STATUS, SIGNED = "metadata service", "status", "signed request"
_UNKNOWN = "00000000-0000-4000-8000-000000000000"
_SECONDS = 14.0


def status(conf: cfg.ConfigOpts, unit: str, needs: tuple[str, ...] = ()) -> Step:
    """A service's status listener; `unit` is what starts the service."""
    return Step(STATUS, lambda: _status(conf, unit), needs=needs, seconds=_SECONDS)


def metadata(conf: cfg.ConfigOpts) -> list[Step]:
    """The metadata service, from its listener to a request as an agent sends it."""
    steps = [
        Step(GUESTS, lambda: _guests(conf), seconds=_SECONDS),
        status(conf, "firstlight-metadata", (GUESTS,)),
    ]
    if conf.neutron.service_metadata_proxy:
        steps.append(Step(SIGNED, lambda: _signed(conf), needs=(GUESTS,), seconds=_SECONDS))
    return steps


def _guests(conf: cfg.ConfigOpts) -> Iterator[Finding]:
    where = seen_from_here(conf.metadata_listen, conf.metadata_listen_port)
    tls = "metadata" in conf.enabled_ssl_apis
    try:
        reply = ask(conf.metadata_listen, conf.metadata_listen_port, "/", tls=tls)
    except Unanswered as error:
        yield broken(
            f"nobody answers at {where}: {error}",
            place(conf, "DEFAULT", "metadata_listen_port"),
            remedy="systemctl status firstlight-metadata; before its first start, --before-start",
        )
        return
    if reply.status == 200 and b"latest" in reply.body:
        yield ok(f"answers at {where}")
    else:
        yield broken(
            f"{where} answers {reply.status} to GET /, which a metadata service answers with its"
            " versions",
            place(conf, "DEFAULT", "metadata_listen_port"),
            remedy="which process has the port? ss -ltnp",
        )


def _status(conf: cfg.ConfigOpts, unit: str) -> Iterator[Finding]:
    own = conf.firstlight
    where = seen_from_here(own.status_listen, own.status_port)
    try:
        alive = ask(own.status_listen, own.status_port, "/healthz")
        ready = ask(own.status_listen, own.status_port, "/readyz")
        said = json.loads(ready.body)
        checks, degraded = said["checks"], said.get("degraded", [])
    except Unanswered as error:
        yield warning(
            f"nobody answers at {where}: {error}",
            place(conf, "firstlight", "status_port"),
            remedy=f"right under uWSGI, which has no status listener; else see {unit}",
        )
        return
    except (ValueError, LookupError, TypeError):
        yield broken(
            f"{where} answers what is no /readyz",
            place(conf, "firstlight", "status_port"),
            remedy="another program has the port: ss -ltnp",
        )
        return
    problems = {name: why for name, why in checks.items() if why != "ok"}
    for name, why in problems.items():
        found = warning if name in degraded else broken
        yield found(f"{name}: {why}", remedy="what is known is served; nothing needs a restart")
    if alive.status == 200 and not problems:
        yield ok(f"/healthz and /readyz at {where}")


def _signed(conf: cfg.ConfigOpts) -> Iterator[Finding]:
    secret = conf.neutron.metadata_proxy_shared_secret
    headers = {
        "X-Instance-ID": _UNKNOWN,
        "X-Tenant-ID": "firstlight-check",
        "X-Instance-ID-Signature": sign(secret, _UNKNOWN).decode(),
    }
    tls = "metadata" in conf.enabled_ssl_apis
    path = "/openstack/latest/meta_data.json"
    try:
        reply = ask(conf.metadata_listen, conf.metadata_listen_port, path, headers, tls=tls)
    except Unanswered as error:
        yield broken(f"no answer: {error}", remedy="see the service's log")
        return
    where = place(conf, "neutron", "metadata_proxy_shared_secret")
    if reply.status == 404:
        yield ok("its signature is good (404 for a server that does not exist)")
    elif reply.status == 403:
        yield broken(
            "403: the running service has another secret than this configuration",
            where,
            remedy="reload the service, or name the files that it was started with",
        )
    elif reply.status == 400:
        yield broken(
            "400: the running service does not take signed requests",
            place(conf, "neutron", "service_metadata_proxy"),
            remedy="reload the service, or name the files that it was started with",
        )
    elif reply.status == 503:
        yield broken("503: the databases cannot be read", remedy="see the steps above, and /readyz")
    else:
        yield broken(f"answered {reply.status}", remedy="see the service's log")
