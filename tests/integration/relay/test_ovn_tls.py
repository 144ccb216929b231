"""The southbound database over TLS, with certificates on both sides: a real ovsdb-server."""

import tempfile
from collections.abc import Iterator
from contextlib import closing
from ipaddress import ip_address
from pathlib import Path
from uuid import uuid4

import pytest

from firstlight import conf
from firstlight.relay.contract import Found, Guest, Origin, Unavailable, Via
from firstlight.relay.resolvers.deploy import ResolverError, open_resolver
from integration.relay.southbound_database import Southbound
from support.servers.certificates import make_certificates
from support.servers.databases import eventually, free_port

PATIENCE = 60
MAC = "fa:16:3e:12:34:56"
NETWORK = str(uuid4())
GUEST = Guest(Origin(Via.OVN, NETWORK), ip_address("10.0.0.5"))
AGENT = """\
[ovn]
ovn_sb_connection = {remote}
ovn_sb_private_key = {home}/{client}.key
ovn_sb_certificate = {home}/{client}.crt
ovn_sb_ca_cert = {home}/{authority}.crt
"""


class Secure(Southbound):
    """It shows a certificate, and wants one; the tests write by another door."""

    port_id: str

    def __init__(self, home: Path, certificates: Path) -> None:
        super().__init__(home, free_port())
        port = free_port()
        self.secure = f"ssl:127.0.0.1:{port}"
        program, *options = self._command
        self._command = [
            program,
            f"--remote=pssl:{port}:127.0.0.1",
            f"--private-key={certificates}/server.key",
            f"--certificate={certificates}/server.crt",
            f"--ca-cert={certificates}/ca.crt",
            *options,
        ]

    def refused(self) -> int:
        """How many have failed to shake hands."""
        return self._log.read_text().count("SSL_accept: ")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made: Path = make_certificates(tmp_path_factory.mktemp("tls"))
    return made


@pytest.fixture(scope="module")
def southbound(certificates: Path) -> Iterator[Secure]:
    """With one bound port."""
    with tempfile.TemporaryDirectory(prefix="firstlight-ovn-") as home:
        database = Secure(Path(home), certificates)
        try:
            database.start()
            here, red = database.chassis("here"), database.network(NETWORK)
            database.port_id = database.bind(
                red, f"{MAC} 10.0.0.5", chassis=here, device_id="one", project_id="p"
            )
            yield database
        finally:
            database.stop()


def written(tmp_path: Path, **fields: object) -> Path:
    """An OVN agent's file."""
    file = tmp_path / "ovn_agent.ini"
    file.write_text(AGENT.format(**{"client": "client", "authority": "ca", **fields}))
    return file


def test_ours(southbound: Secure, certificates: Path, tmp_path: Path) -> None:
    """With the agent's own files the port is found."""
    file = written(tmp_path, remote=southbound.secure, home=certificates)
    with closing(open_resolver(conf.load("agent", [str(file)]))) as resolver:
        found = Found("one", "p", southbound.port_id, MAC)
        assert eventually(lambda: resolver.resolve([GUEST]) == [found], PATIENCE)
        assert resolver.trouble() is None


@pytest.mark.parametrize("files", [{"client": "stranger"}, {"authority": "stranger"}])
def test_strangers(
    southbound: Secure, certificates: Path, tmp_path: Path, files: dict[str, str]
) -> None:
    """A certificate that the database does not know, or a database whose certificate is not our
    authority's: they shake hands again and again, and nobody is told anything."""
    before = southbound.refused()
    file = written(tmp_path, remote=southbound.secure, home=certificates, **files)
    with closing(open_resolver(conf.load("agent", [str(file)]))) as resolver:
        assert eventually(lambda: southbound.refused() > before + 1, PATIENCE)
        assert "not connected" in str(resolver.trouble())
        [away] = resolver.resolve([GUEST])
        assert isinstance(away, Unavailable)


def test_files_that_are_no_certificates(
    southbound: Secure, certificates: Path, tmp_path: Path
) -> None:
    """A file that is there and is no certificate stops the start, by its option's name."""
    (tmp_path / "wrong.crt").write_text("no certificate")
    fields = {"remote": southbound.secure, "home": certificates, "authority": "wrong"}
    (certificates / "wrong.crt").write_text("no certificate")
    with pytest.raises(ResolverError, match="ovn_sb_ca_cert"):
        open_resolver(conf.load("agent", [str(written(tmp_path, **fields))]))
    fields = {"remote": southbound.secure, "home": certificates, "client": "mixed"}
    (certificates / "mixed.crt").write_bytes((certificates / "client.crt").read_bytes())
    (certificates / "mixed.key").write_bytes((certificates / "server.key").read_bytes())
    with pytest.raises(ResolverError, match="ovn_sb_private_key"):
        open_resolver(conf.load("agent", [str(written(tmp_path, **fields))]))
