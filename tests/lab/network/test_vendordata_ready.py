"""The vendordata service's /readyz, with real Keystone there, away, back, and refusing us."""

from collections.abc import Mapping
from typing import Any

import requests

from lab.cloud import Cloud
from support.providers.vendordata_service import Serve, Service, command, installed, serve  # noqa: F401  (fixtures)
from support.servers.databases import eventually

PATIENCE = 60.0  # seconds, on a busy machine; the service asks again every five


def section(name: str, options: Mapping[str, str]) -> str:
    return "\n".join([f"[{name}]", *(f"{key} = {value}" for key, value in options.items()), ""])


def readyz(service: Service) -> tuple[int, dict[str, Any]]:
    answer = requests.get(f"{service.status}/readyz", timeout=20)
    return answer.status_code, answer.json()["checks"]


def test_keystone_away_and_back(cloud: Cloud, serve: Serve) -> None:  # noqa: F811  a fixture
    """Without it nobody new can be answered: unready, with the reason; ready again by itself."""
    credentials = cloud.keystone.credentials("vendordata", "service")
    service = serve("providers = echo", section("keystone_authtoken", credentials))
    unknown = {"X-Auth-Token": cloud.keystone.token("nova", "service")}
    assert readyz(service)[0] == 200
    cloud.keystone.stop()
    try:
        assert service.post("/", headers=unknown).status_code == 503
        status, checks = readyz(service)
        assert (status, checks["providers"]) == (503, "ok")
        assert "could not be checked" in checks["keystone"]
    finally:
        cloud.keystone.start()
    assert eventually(lambda: readyz(service)[0] == 200, PATIENCE)
    assert service.post("/", headers=unknown).status_code == 200


def test_credentials_that_keystone_refuses(cloud: Cloud, serve: Serve) -> None:  # noqa: F811  a fixture
    """It is said before the first caller comes."""
    credentials = cloud.keystone.credentials("vendordata", "service", password="wrong")
    service = serve("providers = echo", section("keystone_authtoken", credentials))
    assert eventually(lambda: readyz(service)[0] == 503, PATIENCE)
    assert "401" in readyz(service)[1]["keystone"]


def test_a_provider_whose_backend_is_away(cloud: Cloud, serve: Serve) -> None:  # noqa: F811  a fixture
    """The others answer: ready, and degraded."""
    callers = section("keystone_authtoken", cloud.keystone.credentials("vendordata", "service"))
    reader = cloud.keystone.credentials("vendordata", system_scope="all", password="wrong")
    service = serve("providers = echo,project_info", callers + section("service_auth", reader))
    assert eventually(lambda: readyz(service)[1]["provider project_info"] != "ok", PATIENCE)
    status, checks = readyz(service)
    assert (status, checks["provider echo"]) == (200, "ok")
