"""``firstlight vendordata`` and real Keystone: whose token is good, and what providers learn."""

from collections.abc import Iterator, Mapping

import pytest
from keystoneauth1 import session
from keystoneauth1.adapter import Adapter
from keystoneauth1.identity import v3

from firstlight.vendordata.contract import Context, Need, Provider
from firstlight.vendordata.openstack import Cloud, CloudCache
from firstlight.vendordata.openstack import service as cloud_service
from firstlight.vendordata.providers.project_info import ProjectInfo
from firstlight.vendordata.testing import ProviderSuite, a_context
from lab.keystone import PASSWORD, Keystone
from support.providers.vendordata_service import (  # noqa: F401  fixtures
    BODY,
    Serve,
    Service,
    command,
    free_port,
    installed,
    serve,
)
from support.servers.databases import eventually

FORGED = {"X-Identity-Status": "Confirmed", "X-Roles": "service,admin", "X-User-Id": "u"}


@pytest.fixture
def stopped(keystone: Keystone) -> Iterator[Keystone]:
    """Keystone, away until the test starts it again or ends."""
    keystone.stop()
    yield keystone
    keystone.stop()
    keystone.start()


def section(name: str, options: Mapping[str, str]) -> str:
    return "\n".join([f"[{name}]", *(f"{key} = {value}" for key, value in options.items()), ""])


def sections(keystone: Keystone, **authtoken: str) -> str:
    ours = keystone.credentials("vendordata", "service") | authtoken
    reader = keystone.credentials("vendordata", system_scope="all")
    return section("keystone_authtoken", ours) + section("service_auth", reader)


@pytest.fixture(scope="module")
def service(serve: Serve, keystone: Keystone) -> Service:  # noqa: F811  a fixture
    return serve("providers = project_info,echo", sections(keystone))


def ask(service: Service, token: str, path: str = "/", **body: str) -> tuple[int, object]:
    answer = service.post(path, BODY | body, headers={"X-Auth-Token": token})
    return answer.status_code, answer.json()


def test_a_service_token_is_good(service: Service, keystone: Keystone) -> None:
    """Nova's token opens the door, and the project's real name comes back."""
    demo = keystone.projects["demo"]
    status, said = ask(service, keystone.token("nova", "service"), **{"project-id": demo})
    assert status == 200
    assert isinstance(said, dict)
    assert said["project_info"] == {"project_id": demo, "project_name": "demo"}
    assert said["echo"]["hostname"] == "web-1"


@pytest.mark.parametrize("project", ["0" * 32, "..", "../users", "a/b", "ä", "x" * 65])
def test_no_such_project(service: Service, keystone: Keystone, project: str) -> None:
    """A project that does not exist, or never could, is nothing to say and no failure."""
    token = keystone.token("nova", "service")
    path = "/providers/project_info"
    assert ask(service, token, path, **{"project-id": project}) == (200, {})


def test_no_token(service: Service) -> None:
    """Nobody is nobody, whatever identity headers come along."""
    assert service.post("/").status_code == 401
    dressed = service.post("/", headers=FORGED)
    assert dressed.status_code == 401
    assert "X-Auth-Token" in dressed.json()["error"]["message"]


def test_garbage(service: Service) -> None:
    """A token that Keystone does not know is refused, whatever identity headers come along."""
    for token in ("garbage", "gAAAAABm" + "x" * 170, "é"):
        headers = {"X-Auth-Token": token.encode(), **FORGED}
        assert service.post("/", headers=headers).status_code == 401


def test_a_revoked_token(service: Service, keystone: Keystone) -> None:
    """A token that was good once is refused."""
    token = keystone.token("nova", "service")
    keystone.revoke(token)
    assert ask(service, token)[0] == 401


def test_an_expired_token(service: Service, stopped: Keystone) -> None:
    """A token whose time is over is refused, also if it has been seen while it was good."""
    for seconds in (2, 5, 12):  # a busy machine may take longer than the first
        stopped.start(expiration=seconds)
        seen, unseen = stopped.token("nova", "service"), stopped.token("nova", "service")
        if ask(service, seen, "/providers/echo")[0] == 200:
            break
        stopped.stop()
    else:
        pytest.fail("a token that was good for 12 seconds was never taken")
    assert eventually(lambda: ask(service, seen, "/providers/echo")[0] == 401, seconds + 20)
    assert ask(service, unseen, "/providers/echo")[0] == 401


def test_required_roles(serve: Serve, keystone: Keystone) -> None:  # noqa: F811  a fixture
    """With required_roles a tenant's token is good, and still not good enough."""
    strict = serve("providers = echo", "required_roles = service\n" + sections(keystone))
    assert ask(strict, keystone.token("nova", "service"))[0] == 200
    answer = strict.post("/", headers={**FORGED, "X-Auth-Token": keystone.token("demo", "demo")})
    assert answer.status_code == 403
    assert "service" in answer.json()["error"]["message"]


def test_secrets(service: Service, keystone: Keystone) -> None:
    """With the defaults a tenant's token reads none; those of a service and of the system do."""
    tenants = keystone.token("demo", "demo")
    for path in ("/", "/cloud-init", "/providers/echo"):
        answer = service.post(path, headers={**FORGED, "X-Auth-Token": tenants})
        assert answer.status_code == 403
        assert "member" in answer.json()["error"]["message"]
        assert ask(service, keystone.token("nova", "service"), path)[0] == 200
        assert ask(service, keystone.token("vendordata"), path)[0] == 200
    assert ask(service, tenants, "/providers/project_info")[0] == 200


def test_our_own_credentials_are_wrong(serve: Serve, keystone: Keystone) -> None:  # noqa: F811  a fixture
    """That is our fault, not the caller's: 503, and the log says so."""
    wrong = serve("providers = echo", sections(keystone, password="wrong"))
    assert ask(wrong, keystone.token("nova", "service"))[0] == 503


def test_keystone_away_and_back(service: Service, keystone: Keystone) -> None:
    """While it is away an unknown token is 503, and its provider knows what it was told before."""
    known, unknown = keystone.token("nova", "service"), keystone.token("nova", "service")
    demo, other = ({"project-id": keystone.projects[name]} for name in ("demo", "service"))
    assert ask(service, known, **demo)[0] == 200
    keystone.stop()
    try:
        assert ask(service, unknown, **demo)[0] == 503
        answer = service.post("/", BODY | other, headers={"X-Auth-Token": known})
        assert answer.status_code == 200
        assert set(answer.json()) == {"echo", "cloud-init"}
        assert answer.headers["Firstlight-Failed"] == "project_info"
        assert ask(service, known, "/providers/project_info", **other)[0] == 503
        assert ask(service, known, "/providers/project_info", **demo)[0] == 200
    finally:
        keystone.start()
    status, said = ask(service, unknown, "/providers/project_info", **demo)
    assert (status, said) == (200, {"project_id": demo["project-id"], "project_name": "demo"})


def make(url: str, user: str = "vendordata") -> ProjectInfo:
    auth = v3.Password(
        auth_url=url,
        username=user,
        password=PASSWORD,
        user_domain_id="default",
        system_scope="all",
    )
    keystone = session.Session(auth=auth, timeout=4)
    service = cloud_service.Service(
        Adapter(keystone, service_type="identity"),
        name="Keystone",
        version="/v3",
        rights="nobody asks for more",
        credentials="service_auth",
        timeout=4,
    )
    return ProjectInfo(Cloud({Need.PROJECT: service}, CloudCache()), max_age=300)


class TestProjectInfo(ProviderSuite):
    """The provider keeps the contract, with a real Keystone behind it."""

    @pytest.fixture
    def provider(self, keystone: Keystone) -> Provider:
        return make(keystone.url)

    @pytest.fixture
    def known(self, keystone: Keystone) -> Context:
        return a_context(project_id=keystone.projects["demo"])

    @pytest.fixture
    def failing(self) -> Provider:
        return make("http://127.0.0.1:9/v3")
