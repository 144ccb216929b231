"""Which tokens are told what confidential providers answer, in every shape."""

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.util import setup_testing_defaults

import pytest

from firstlight.cli import main
from firstlight.conf import ConfigError, load
from firstlight.conf.compat_mode import CompatMode
from firstlight.vendordata.auth.gates import guarded
from firstlight.vendordata.contract import Context, Provider
from firstlight.vendordata.dispatch.dispatcher import Dispatcher
from firstlight.vendordata.http.app import make_app
from firstlight.vendordata.http.request_id import noted
from firstlight.vendordata.policy.provider_policy import ProviderPolicy
from support.cloud.keystone_tokens import authtoken_section, keystone_words, token_of, user_options

SECRET = "the-licence-key"
BODY = json.dumps({"project-id": "blue", "instance-id": "i1"}).encode()


class Told(Provider):
    """Answers one value."""

    def __init__(self, value: str, *, confidential: bool) -> None:
        self._value = value
        self.confidential = confidential

    @classmethod
    def from_conf(cls, conf: Any, clients: Any) -> "Told":
        raise NotImplementedError

    def provide(self, context: Context) -> dict[str, Any]:
        return {"value": self._value, "cloud-config": {self._value: True}}


@pytest.fixture(scope="module")
def authtoken() -> Iterator[str]:
    """The section that leads to a Keystone."""
    with keystone_words() as url:
        yield authtoken_section(url)


class Asking:
    """The application as a caller sees it."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def __call__(self, path: str, token: str | None, **headers: str) -> tuple[int, str]:
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "CONTENT_LENGTH": str(len(BODY)),
            "wsgi.input": BytesIO(BODY),
        }
        if token is not None:
            environ["HTTP_X_AUTH_TOKEN"] = token
        environ |= {f"HTTP_{name}": value for name, value in headers.items()}
        setup_testing_defaults(environ)
        statuses: list[str] = []
        answer = self._app(environ, lambda status, headers, *_: statuses.append(status))
        return int(statuses[-1].split()[0]), b"".join(answer).decode()


@contextmanager
def service(
    directory: Path,
    shape: CompatMode,
    sections: str,
    terms: dict[str, ProviderPolicy] | None = None,
) -> Iterator[Asking]:
    """The service with one provider that has a secret, and in most shapes one that has none."""
    conf = directory / "vendordata.conf"
    conf.write_text(sections)
    providers = {"mlnx_sriov": Told(SECRET, confidential=True)}
    if shape is not CompatMode.PCSS:
        providers["public"] = Told("open", confidential=False)
    panel = Dispatcher(providers, threads=1, counted=lambda _outcome: None, terms=terms)
    with closing(panel):
        app = make_app(panel, deadline=5.0, shape=shape)
        gate = guarded(app, load("vendordata", [str(conf)]), shape)
        yield Asking(noted(gate, time.monotonic))


Served = Callable[..., Any]

PATHS = {
    CompatMode.FIRSTLIGHT: ("/", "/cloud-init", "/providers/mlnx_sriov"),
    CompatMode.POLLINATE: ("/", "/cloud-init", "/providers/mlnx_sriov"),
    CompatMode.PCSS: ("/", "/any/path"),
}
TENANTS = (
    token_of("member", "reader", scope="red"),
    token_of("manager", scope="blue"),
    token_of("services", "administrator", scope="red"),
    token_of(scope=""),
)
TRUSTED = (
    token_of("service", scope="service"),
    token_of("member", "Admin", scope="red"),
    token_of("reader", scope="system"),
)
# What a tenant may send beside his own token.
FORGED = {
    "X_ROLES": "admin,service",
    "OPENSTACK_SYSTEM_SCOPE": "all",
    "X_IDENTITY_STATUS": "Confirmed",
    "X_SERVICE_ROLES": "service",
}


@pytest.mark.parametrize("shape", list(PATHS))
def test_defaults(tmp_path: Path, authtoken: str, shape: CompatMode) -> None:
    """Tenants' tokens get 403 and no secret, those of services, admins and the system get it."""
    with service(tmp_path, shape, authtoken) as ask:
        for path in PATHS[shape]:
            for token in TENANTS:
                for headers in ({}, FORGED):
                    status, said = ask(path, token, **headers)
                    assert (status, SECRET in said) == (403, False), (path, token, headers)
                assert "mlnx_sriov" in said
            for token in TRUSTED:
                assert ask(path, token)[0] == 200, (path, token)
                assert SECRET in ask(path, token)[1]
            assert ask(path, None)[0] == 401


def test_the_others_go_on(tmp_path: Path, authtoken: str) -> None:
    """A provider without secrets answers any valid token, and so does one in shadow."""
    with service(tmp_path, CompatMode.FIRSTLIGHT, authtoken) as ask:
        for token in (*TENANTS, *TRUSTED):
            assert ask("/providers/public", token)[0] == 200
    shadow = {"mlnx_sriov": ProviderPolicy(shadow=True)}
    with service(tmp_path, CompatMode.FIRSTLIGHT, authtoken, shadow) as ask:
        status, said = ask("/", TENANTS[0])
        assert (status, SECRET in said, "open" in said) == (200, False, True)


@pytest.mark.parametrize("shape", list(PATHS))
def test_set_and_empty(
    tmp_path: Path, authtoken: str, shape: CompatMode, caplog: pytest.LogCaptureFixture
) -> None:
    """It is as it was before, and each start says what that means."""
    for _start in range(2):
        caplog.clear()
        with service(tmp_path, shape, f"[firstlight]\nrequired_roles =\n{authtoken}") as ask:
            assert SECRET in ask(PATHS[shape][0], TENANTS[0])[1]
        [warning] = [
            r.getMessage()
            for r in caplog.records
            if r.levelno == logging.WARNING and r.name.startswith("firstlight.")
        ]
        assert "required_roles is set and empty" in warning


def test_named_roles(tmp_path: Path, authtoken: str, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever has one is told everything, whatever its case; whoever has none is told nothing."""
    roles = "[firstlight]\nrequired_roles = Vendordata\n"
    with service(tmp_path, CompatMode.FIRSTLIGHT, roles + authtoken) as ask:
        assert SECRET in ask("/", token_of("vendordata", scope="service"))[1]
        for token in (*TENANTS, *TRUSTED):
            assert ask("/providers/public", token)[0] == 403
    assert "tenants" not in caplog.text
    roles = "[firstlight]\nrequired_roles = service,member\n"
    with service(tmp_path, CompatMode.FIRSTLIGHT, roles + authtoken):
        assert "tenants' own users have: they read the secrets of all projects: member" in (
            caplog.text
        )


@pytest.mark.parametrize("roles", [",service", "a,,b", "a, ,b"])
def test_an_empty_role(tmp_path: Path, authtoken: str, roles: str) -> None:
    """It would be the role of a token that has none: the start is refused."""
    sections = f"[firstlight]\nrequired_roles = {roles}\n{authtoken}"
    with (
        pytest.raises(ConfigError, match=r"required_roles.*item of the list is empty"),
        service(tmp_path, CompatMode.FIRSTLIGHT, sections),
    ):
        pass


def test_without_keystone(tmp_path: Path) -> None:
    """Where an operator has said that nobody is checked, that holds for secrets too."""
    with service(tmp_path, CompatMode.FIRSTLIGHT, "[DEFAULT]\nauth_strategy = noauth\n") as ask:
        assert SECRET in ask("/", None)[1]
    with service(tmp_path, CompatMode.POLLINATE, "[DEFAULT]\nauth_strategy = noauth\n") as ask:
        assert ask("/", None)[0] == 401
        assert SECRET in ask("/", None, X_IDENTITY_STATUS="Confirmed")[1]


def test_a_refusal_is_logged(
    tmp_path: Path, authtoken: str, caplog: pytest.LogCaptureFixture
) -> None:
    """With the roles that were seen, and not as often as a tenant can cause it."""
    with service(tmp_path, CompatMode.FIRSTLIGHT, authtoken) as ask:
        for _ in range(40):
            ask("/", TENANTS[0])
    lines = [r.getMessage() for r in caplog.records if "was refused" in r.getMessage()]
    assert "providers mlnx_sriov, roles member, reader" in caplog.text
    assert 0 < len(lines) <= 10


@pytest.mark.parametrize("shape", list(PATHS))
@pytest.mark.parametrize("path", ["/%ff", "/%c3", "/%80%81", "/providers/%ff", "/%00", "/%e2%80"])
def test_odd_paths_without_a_token(
    tmp_path: Path, authtoken: str, shape: CompatMode, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Escapes that are no text are refused like any other path, without a traceback."""
    with service(tmp_path, shape, authtoken) as ask:
        assert ask(path, None)[0] == 401
        assert ask(path, TRUSTED[0])[0] in (200, 404)
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    ("token", "shown", "warned"),
    [
        (token_of("member", "reader", scope="red"), "project red, roles: member, reader", True),
        (token_of("service", scope="service"), "project service, roles: service", False),
        (token_of("reader", scope="system"), "the system, roles: reader", False),
    ],
)
def test_check_shows_the_roles(
    tmp_path: Path, token: str, shown: str, warned: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those that Nova's user has, and whether they will do."""
    conf = tmp_path / "metadata.conf"
    with keystone_words() as url:
        conf.write_text(
            "[api]\nvendordata_providers = DynamicJSON\n"
            f"[store]\nconnection = sqlite:///{tmp_path}/store.sqlite\n"
            f"[vendordata_dynamic_auth]\n{user_options(url, token)}"
        )
        main(["check", "metadata", "--json", "--before-start", "--config-file", str(conf)])
    steps = {step["name"]: step for step in json.loads(capsys.readouterr().out)["steps"]}
    step = steps["Keystone for targets"]
    assert shown in json.dumps(step)
    assert step["verdict"] == ("warning" if warned else "ok")


def test_check_says_what_is_open(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before the start, as the start does."""
    conf = tmp_path / "vendordata.conf"
    with keystone_words() as url:
        user = user_options(url, token_of("service", scope="service"))
        conf.write_text(f"[firstlight]\nrequired_roles =\n[keystone_authtoken]\n{user}")
        main(["check", "vendordata", "--json", "--before-start", "--config-file", str(conf)])
    steps = {step["name"]: step for step in json.loads(capsys.readouterr().out)["steps"]}
    assert steps["callers"]["verdict"] == "warning"
    assert "required_roles is set and empty" in json.dumps(steps["callers"])
