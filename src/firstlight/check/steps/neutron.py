"""Neutron, as the credentials of ``[neutron]`` see it."""

from collections.abc import Iterator, Sequence
from typing import Any

import requests
from keystoneauth1.adapter import Adapter
from oslo_config import cfg

from firstlight.check.option_location import place
from firstlight.check.step import Finding, Step, broken, ok, warning
from firstlight.check.steps.keystone import token
from firstlight.neutron import NeutronMisconfigured
from firstlight.neutron.session import GROUP, open_adapter
from firstlight.vendordata_client.calls.failure import CALL_ERRORS, reason

TOKEN, LISTS = "Keystone for Neutron", "Neutron"
_SAMPLE = 30  # ports to look at; enough for one that has a security group
_SECONDS = 10.0  # for one answer
_ADMIN = "give the user the role admin in that project, as Nova's own documentation asks"


def steps(conf: cfg.ConfigOpts) -> Sequence[Step]:
    """A token; the lists; and whether the user may see what guests are shown."""
    seconds = 2 * _SECONDS + 2
    return [
        Step(TOKEN, lambda: _token(conf), seconds=seconds),
        Step(LISTS, lambda: _lists(conf), needs=(TOKEN,), seconds=seconds),
        Step("security groups", lambda: _rights(conf), needs=(LISTS,), seconds=2 * seconds),
    ]


def _token(conf: cfg.ConfigOpts) -> Iterator[Finding]:
    try:
        adapter = open_adapter(conf, pool_size=1)
    except NeutronMisconfigured as error:
        yield broken(str(error), place(conf, GROUP, "auth_type"), remedy="correct the option")
        return
    yield from token(conf, GROUP, adapter.session)


def _lists(conf: cfg.ConfigOpts) -> Iterator[Finding]:
    adapter = open_adapter(conf, pool_size=1)
    try:
        ports = _read(adapter, "ports", {"limit": "1", "fields": "id"})
    except _Failed as failure:
        yield failure.finding(conf)
        return
    yield ok(f"{_endpoint(adapter)} lists ports")
    if not ports:
        yield warning(
            "it shows no port at all to this user",
            place(conf, GROUP, "project_name"),
            remedy=f"right for an empty cloud; else {_ADMIN}",
        )


def _rights(conf: cfg.ConfigOpts) -> Iterator[Finding]:
    """With role `service` alone Neutron shows ports, and no other project's groups."""
    adapter = open_adapter(conf, pool_size=1)
    where = place(conf, GROUP, "username")
    try:
        ports = _read(adapter, "ports", {"limit": str(_SAMPLE), "fields": "security_groups"})
        wanted = {group for port in ports for group in port.get("security_groups") or ()}
        shown = _read(adapter, "security-groups", {"id": sorted(wanted), "fields": "id"})
    except _Failed as failure:
        yield failure.finding(conf)
        return
    hidden = wanted - {group["id"] for group in shown}
    if hidden and len(hidden) == len(wanted):
        yield broken(
            f"Neutron shows this user none of the {len(wanted)} groups of {len(ports)} ports:"
            " guests see meta-data/security-groups empty",
            where,
            remedy=_ADMIN,
        )
    elif hidden:
        yield warning(
            f"Neutron hides {len(hidden)} of {len(wanted)} groups from this user, for example"
            f" {min(hidden)}: guests do not see them",
            where,
            remedy=_ADMIN,
        )
    elif wanted:
        yield ok(f"all {len(wanted)} groups of {len(ports)} ports are shown")
    else:
        yield ok("no port has one, so it cannot be told whether the user may see them")


class _Failed(Exception):
    """A list could not be read."""

    def __init__(self, said: str, option: str, remedy: str) -> None:
        super().__init__(said)
        self._option, self._remedy = option, remedy

    def finding(self, conf: cfg.ConfigOpts) -> Finding:
        return broken(str(self), place(conf, GROUP, self._option), remedy=self._remedy)


def _endpoint(adapter: Adapter) -> str:
    try:
        found = adapter.get_endpoint()
    except CALL_ERRORS as error:
        raise _Failed(
            f"no endpoint: Keystone: {reason(error)}", "region_name", "is Keystone up?"
        ) from error
    if not found:
        raise _Failed(
            f"Keystone's catalog has no {adapter.service_type} endpoint"
            f" ({'/'.join(adapter.interface or ())}) in region {adapter.region_name or 'any'}",
            "region_name",
            "set region_name and valid_interfaces as `openstack endpoint list` has them, or"
            " endpoint_override",
        )
    return str(found).rstrip("/").removesuffix("/v2.0")


def _read(adapter: Adapter, kind: str, query: dict[str, Any]) -> list[dict[str, Any]]:
    url = f"{_endpoint(adapter)}/v2.0/{kind}"
    try:
        response = adapter.get(url, params=query, raise_exc=False, timeout=_SECONDS)
        if response.status_code == 200:
            rows: list[dict[str, Any]] = response.json()[kind.replace("-", "_")]
            return rows
    except (requests.JSONDecodeError, KeyError, TypeError) as error:
        raise _Failed(
            f"{url} answers, and not with a list of {kind}: it is not Neutron",
            "endpoint_override",
            "correct the endpoint, in the options or in Keystone's catalog",
        ) from error
    except CALL_ERRORS as error:
        raise _Failed(
            f"{url}: {reason(error)}",
            "endpoint_override",
            "is neutron-server up, and does the catalog's address lead to it from here?",
        ) from error
    raise _Failed(
        f"{url} answered {response.status_code}",
        "username",
        _ADMIN if response.status_code in (401, 403) else "see neutron-server's log",
    )
