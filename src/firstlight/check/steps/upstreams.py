"""The metadata services that the relay asks: do they answer, and do they take its signature?"""

from collections.abc import Iterator

from oslo_config import cfg

from firstlight.check.asking import Unanswered, ask
from firstlight.check.option_location import place
from firstlight.check.step import Finding, OptionLocation, Step, broken, ok
from firstlight.metadata.identity import sign
from firstlight.relay.upstream.address import BadUpstream, TcpUpstream
from firstlight.relay.upstream.deploy import open_balancer

_NOBODY = "00000000-0000-4000-8000-000000000000"
_SECONDS = 25.0
_SECRET = "metadata_proxy_shared_secret"  # noqa: S105  (the option's name)


def steps(conf: cfg.ConfigOpts) -> list[Step]:
    """One step for all of them."""
    return [Step("metadata service", lambda: _look(conf), seconds=_SECONDS)]


def _look(conf: cfg.ConfigOpts) -> Iterator[Finding]:
    named = place(conf, "relay", "upstreams")
    if not conf.relay.upstreams:
        named = place(conf, "DEFAULT", "nova_metadata_host")
    try:
        upstreams = open_balancer(conf)
    except BadUpstream as error:
        yield broken(str(error), named, remedy="correct it")
        return
    for upstream in upstreams.all:
        if isinstance(upstream.address, TcpUpstream):
            yield _asked(conf, upstream.address, named)


def _asked(conf: cfg.ConfigOpts, address: TcpUpstream, named: OptionLocation) -> Finding:
    headers = {
        "X-Instance-ID": _NOBODY,
        "X-Tenant-ID": "firstlight-check",
        "X-Instance-ID-Signature": sign(conf[_SECRET], _NOBODY).decode(),
        "X-Forwarded-For": "192.0.2.1",
    }
    path = "/openstack/latest/meta_data.json"
    try:
        reply = ask(address.host, address.port, path, headers, tls=address.tls is not None)
    except Unanswered as error:
        remedy = "is the service up, is it the right host and port, and is there a firewall?"
        return broken(f"nobody answers at {address}: {error}", named, remedy=remedy)
    if reply.status in (200, 404):
        return ok(f"{address} answers, and takes this relay's signature")
    if reply.status == 403:
        return broken(
            f"403 at {address}: its secret is another than this one",
            place(conf, "DEFAULT", _SECRET),
            remedy=f"set it to the value of [neutron] {_SECRET} there",
        )
    return broken(
        f"{address} answers {reply.status} to a signed request",
        named,
        remedy="400: [neutron] service_metadata_proxy = true is missing there; else see its log",
    )
