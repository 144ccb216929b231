"""Which service a configuration was written for, and where it was kept."""

from pathlib import Path

import pytest

from firstlight.conf import ConfigError, load
from firstlight.conf.compat_mode import CompatMode, compat_mode_of
from firstlight.conf.reading.files import Untrusted, add_dotenv, usual_files

PASSWORD = "auth_type = password\nauth_url = http://k/v3\n"


def shape(tmp_path: Path, text: str, name: str = "some.conf", **how: CompatMode) -> CompatMode:
    (tmp_path / name).write_text(text)
    return compat_mode_of(load("vendordata", [str(tmp_path / name)], environ={}, **how))


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("pcss-vendor-metadata.ini", "", CompatMode.PCSS),
        ("nova-pollinate.conf", "", CompatMode.POLLINATE),
        ("pollinate.conf", "", CompatMode.POLLINATE),
        ("a.conf", "", CompatMode.FIRSTLIGHT),
        ("a.conf", "[flask]\nport = 8613\n", CompatMode.POLLINATE),
        ("a.ini", f"[neutron]\n{PASSWORD}", CompatMode.PCSS),
        (
            "a.conf",
            f"[DEFAULT]\nproviders = mlnx_sriov\n[neutron]\n{PASSWORD}",
            CompatMode.FIRSTLIGHT,
        ),
        ("a.conf", f"[service_auth]\n{PASSWORD}[neutron]\n{PASSWORD}", CompatMode.FIRSTLIGHT),
        ("nova-pollinate.conf", "[firstlight]\nshape = firstlight\n", CompatMode.FIRSTLIGHT),
        ("vendordata.conf", "[firstlight]\nshape = pcss\n", CompatMode.PCSS),
    ],
)
def test_the_shape_of_a_file(tmp_path: Path, name: str, text: str, expected: CompatMode) -> None:
    """What is said counts, then the file's name, then what only one of them ever had in it."""
    assert shape(tmp_path, text, name) is expected


def test_the_environment_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pollinate was configured without any file."""
    monkeypatch.setenv("OS_FLASK__PORT", "8613")
    assert shape(tmp_path, "") is CompatMode.POLLINATE


def test_the_name_we_were_called_by(tmp_path: Path) -> None:
    """It decides where nothing is said, and only there."""
    assert shape(tmp_path, "", stand_in_for=CompatMode.POLLINATE) is CompatMode.POLLINATE
    said = "[firstlight]\nshape = firstlight\n"
    assert shape(tmp_path, said, stand_in_for=CompatMode.PCSS) is CompatMode.FIRSTLIGHT


def test_where_files_were_kept(tmp_path: Path) -> None:
    """The first of the places that each service looked at."""
    environ = {"HOME": str(tmp_path / "home")}
    etc = tmp_path / "etc" / "pcss-vendor-metadata"
    etc.mkdir(parents=True)
    (etc / "pcss-vendor-metadata.ini").touch()
    assert usual_files(CompatMode.PCSS, environ, tmp_path) == [
        str(etc / "pcss-vendor-metadata.ini")
    ]
    own = tmp_path / "home" / "pcss-vendor-metadata.ini"
    own.parent.mkdir()
    own.touch()
    assert usual_files(CompatMode.PCSS, environ, tmp_path) == [str(own)]
    assert usual_files(CompatMode.POLLINATE, environ, tmp_path) == []
    documented = tmp_path / "etc" / "nova-pollinate" / "nova-pollinate.conf"
    documented.parent.mkdir()
    documented.touch()
    assert usual_files(CompatMode.POLLINATE, environ, tmp_path) == [str(documented)]


def test_dotenv(tmp_path: Path) -> None:
    """What is set stays; a second reading, after SIGHUP, finds what changed and what went."""
    environ = {"OS_DEFAULT__PORT": "1"}
    add_dotenv(environ, tmp_path)
    assert environ == {"OS_DEFAULT__PORT": "1"}
    file = tmp_path / ".env"
    file.write_text("OS_DEFAULT__PORT=2\nA='b c'\nGONE=1\n# no\n")
    file.chmod(0o600)
    add_dotenv(environ, tmp_path)
    assert (environ["OS_DEFAULT__PORT"], environ["A"], environ["GONE"]) == ("1", "b c", "1")
    file.write_text("A=new\n")
    add_dotenv(environ, tmp_path)
    assert environ["A"] == "new"
    assert "GONE" not in environ


def test_a_dotenv_for_everybody(tmp_path: Path) -> None:
    """Whoever may write it would decide who is let in."""
    (tmp_path / ".env").touch()
    (tmp_path / ".env").chmod(0o606)
    with pytest.raises(Untrusted, match="chmod o-w"):
        add_dotenv({}, tmp_path)


def test_a_shape_that_is_none(tmp_path: Path) -> None:
    """It stops the start by name."""
    with pytest.raises(ConfigError, match="shape"):
        shape(tmp_path, "[firstlight]\nshape = round\n")
