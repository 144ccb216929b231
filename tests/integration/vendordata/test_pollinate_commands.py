"""Every way in which nova-pollinate was started, with ours behind its names."""

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import requests

from support.parts import absent
from support.providers import pollinate_cases as cases
from support.providers.pollinate_service import BIN, Command, Pollinate, by_name, start

OPTIONS = cases.OPTIONS | {"providers": "motd"}
ANSWER = {"motd": {"text": "hello"}, "cloud-init": "#cloud-config\ntimezone: Europe/Berlin\n"}


def program(name: str) -> str:
    path = BIN / name
    if not path.exists():
        absent(f"{name} is not installed in this environment (pip install {name})")
    return str(path)


def gunicorn(_conf: Path, port: int) -> list[str]:
    """As nova-pollinate's container started it."""
    threads = ["--workers", "3", "--worker-class", "gthread", "--threads", "4", "--timeout", "60"]
    where = ["--bind", f"127.0.0.1:{port}", "--no-control-socket"]
    return [program("gunicorn"), *where, *threads, "pollinate.wsgi:application"]


def uwsgi(_conf: Path, port: int) -> list[str]:
    """With the one thing that it must be told."""
    where = [f"--http-socket=127.0.0.1:{port}", f"--home={sys.prefix}", "--die-on-term"]
    module = ["--enable-threads", "--module=pollinate.wsgi:application"]
    return [program("uwsgi"), "--master", "--need-app", "--threads=4", *where, *module]


def in_pollinates_place(directory: Path) -> Mapping[str, str]:
    """Where oslo.config found nova-pollinate's file in a home directory."""
    place = directory / ".pollinate"
    place.mkdir(exist_ok=True)
    link = place / "pollinate.conf"
    if not link.is_symlink():
        link.symlink_to(directory / "nova-pollinate.conf")
    return {"HOME": str(directory)}


def ask(service: Pollinate, **headers: str) -> requests.Response:
    return requests.post(service.url, json=cases.NOVAS, headers=headers, timeout=20)


@pytest.mark.parametrize("command", [by_name, gunicorn, uwsgi])
def test_it_answers(tmp_path: Path, command: Command) -> None:
    """The file is found where it was, and a caller's word counts only as far as it did."""
    with start(tmp_path, OPTIONS, command=command, environ=in_pollinates_place(tmp_path)) as ours:
        assert ask(ours, **cases.CONFIRMED).json() == ANSWER
        assert ask(ours).status_code == 401


@pytest.mark.parametrize("command", [by_name, gunicorn])
def test_by_the_environment_alone(tmp_path: Path, command: Command) -> None:
    """``OS_GROUP__OPTION`` goes before the file; what is in ``.env`` counts where neither is."""
    environ = {"OS_DEFAULT__PROVIDERS": "motd"}
    (tmp_path / ".env").write_text(
        "OS_DEFAULT__AUTH_STRATEGY=testing\nOS_DEFAULT__PROVIDERS=site\n"
    )
    (tmp_path / ".env").chmod(0o600)
    environ |= in_pollinates_place(tmp_path)
    with start(tmp_path, {"providers": "quiet"}, command=command, environ=environ) as ours:
        assert ask(ours, **cases.CONFIRMED).json() == ANSWER
        assert ask(ours).status_code == 401


def test_an_env_file_that_anybody_may_write(tmp_path: Path) -> None:
    """It could let anybody in, so it stops the start."""
    (tmp_path / ".env").write_text("OS_DEFAULT__AUTH_STRATEGY=testing\n")
    (tmp_path / ".env").chmod(0o666)
    said = "can be written by everybody; chmod o-w"
    with pytest.raises(AssertionError, match=said), start(tmp_path, OPTIONS):
        pass


def test_the_readmes_curl(tmp_path: Path) -> None:
    """Its header that nobody understands does no harm; three keys are enough."""
    with start(tmp_path, OPTIONS | {"auth_strategy": "testing"}) as ours:
        headers = cases.CONFIRMED | {"HTTP_X_IDENTITY_STATUS": "Confirmed"}
        answer = requests.post(ours.url, json=cases.THREE_KEYS, headers=headers, timeout=20)
        assert answer.json() == ANSWER
