"""Whether a service may write somewhere, judged by root for the unit's user and sandbox."""

import os
import pwd
from pathlib import Path

import pytest

from firstlight.check.steps.unit import Unit, Writer, unit_of

ROOT = Path(__file__).parents[4]
NOBODY = "nobody"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root judges for others")


@pytest.fixture
def installed(tmp_path):
    """Installs the metadata service's unit, and drop-ins, below a root of its own."""

    def install(**drop_ins: str) -> Unit:
        places = tmp_path / "usr/lib/systemd/system", tmp_path / "etc/systemd/system"
        source = ROOT / "etc/systemd/firstlight-metadata.service"
        places[0].mkdir(parents=True)
        (places[0] / source.name).write_text(source.read_text())
        directory = places[1] / f"{source.name}.d"
        directory.mkdir(parents=True)
        for name, text in drop_ins.items():
            (directory / f"{name}.conf").write_text(text)
        unit = unit_of("metadata", tmp_path)
        assert unit is not None
        return unit

    return install


def test_no_unit(tmp_path):
    """Then there is none to judge by."""
    assert unit_of("metadata", tmp_path) is None


def test_a_unit(installed):
    """Its user, what systemd makes for it, and what else it cannot write to."""
    unit = installed()
    assert unit == Unit(
        name="firstlight-metadata.service",
        user="firstlight-metadata",
        made=("/var/lib/firstlight",),
        read_only=("/",),
    )


def test_drop_ins(installed):
    """The shipped one for nova.conf; a later one wins, and an empty word takes back."""
    sample = ROOT / "etc/systemd/firstlight-metadata.service.d/nova.conf.sample"
    unit = installed(
        nova=sample.read_text(),
        own="[Service]\nProtectSystem=full\nStateDirectory=\nStateDirectory=fl:link\n[Unit]\nUser=x\n",
    )
    assert (unit.user, unit.writable) == ("nova", ("/var/log/nova",))
    assert unit.made == ("/var/lib/fl",)
    assert "/etc" in unit.read_only


def test_the_sandbox(tmp_path):
    """Where ProtectSystem keeps it from, ReadWritePaths lets it, whoever owns the directory."""
    unit = Unit(name="u", user=NOBODY, read_only=("/",), made=("/var/lib/not-made-yet",))
    shown = Path("/opt/fl/x.log")
    assert "ReadWritePaths=/opt/fl" in str(Writer(unit).refused(shown))
    assert Writer(unit).refused(Path("/var/lib/not-made-yet/store.sqlite")) is None


@as_root
def test_as_the_units_user(tmp_path):
    """Root may write, and is not asked."""
    user = pwd.getpwnam(NOBODY)
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    for directory in (mine, theirs):
        directory.mkdir(mode=0o700)
    for parent in (tmp_path, *tmp_path.parents[:-1]):
        parent.chmod(parent.stat().st_mode | 0o011)
    os.chown(theirs, user.pw_uid, user.pw_gid)
    (theirs / "roots").write_text("")
    (theirs / "roots").chmod(0o600)
    writer = Writer(Unit(name="u", user=NOBODY))
    assert writer.refused(theirs / "new") is None
    assert f"{NOBODY}, the user of u, may not write" in str(writer.refused(mine / "new"))
    assert "may not write" in str(writer.refused(theirs / "roots"))
    assert "no directory" in str(writer.refused(theirs / "none" / "new"))
    assert "may not write" in str(Writer(Unit(name="u", user="no-such")).refused(theirs / "new"))
    given = Unit(name="u", user=NOBODY, read_only=("/",), made=(str(theirs),))
    assert Writer(given).refused(theirs / "new") is None
    assert "may not write" in str(Writer(given).refused(theirs / "roots"))


def test_as_oneself(tmp_path):
    """Without a unit the user who asks is judged."""
    assert Writer(None).refused(tmp_path / "new") is None
    assert "no directory" in str(Writer(None).refused(tmp_path / "none" / "new"))
