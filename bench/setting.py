"""What the benchmark runs against: a store with many instances, and the servers side by side."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from bench.process import Server, free_port
from firstlight.instance import Address, Instance, Interface, Keypair, Network, Subnet
from firstlight.metadata.identity import sign
from firstlight.sources.store import Store

SECRET = "bench"
PROJECT = "f7ac731cc11f40efbc03a9f9e1d1d21f"
DOCUMENT = "/openstack/latest/meta_data.json"
BIN = Path(sys.executable).parent

_CONFIG = """
[DEFAULT]
metadata_listen = 127.0.0.1
metadata_listen_port = {port}
log_file = {directory}/service.log
[api]
vendordata_providers = StaticJSON,DynamicJSON
vendordata_dynamic_targets = {target}
metadata_cache_expiration = {ttl}
[neutron]
service_metadata_proxy = true
metadata_proxy_shared_secret = {secret}
[firstlight]
status_port = {status}
cache_size = {cache}
access_log = {directory}/access.log
[store]
connection = sqlite:///{directory}/store.sqlite
"""

_NGINX = """
daemon off; pid {directory}/nginx.pid; worker_processes 1; error_log {directory}/nginx.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; default_type application/json; keepalive_requests 1000000000;
  client_body_temp_path {directory}; proxy_temp_path {directory}; fastcgi_temp_path {directory};
  uwsgi_temp_path {directory}; scgi_temp_path {directory};
  server {{ listen 127.0.0.1:{port} backlog=4096; root {directory}/www; }}
}}
"""


def fill(directory: Path, number: int) -> list[str]:
    """Put `number` instances into the store in `directory`; returns their ids."""
    store = Store.open(f"sqlite:///{directory}/store.sqlite")
    uuids = [str(UUID(int=index + 1)) for index in range(number)]
    for first in range(0, number, 500):
        store.add_all([_instance(uuid, i) for i, uuid in enumerate(uuids[first : first + 500])])
    store.close()
    return uuids


def _instance(uuid: str, index: int) -> Instance:
    subnet = Subnet(
        cidr="10.0.0.0/16",
        addresses=(Address(address=f"10.0.{index % 250}.{index // 250 + 2}"),),
        gateway="10.0.0.1",
        dns=("10.0.0.2", "10.0.0.3"),
    )
    network = Network(id="99e88329-f20d-4741-9593-25bf07847b16", mtu=1450, subnets=(subnet,))
    return Instance(
        uuid=uuid,
        project_id=PROJECT,
        name=f"bench {index}",
        hostname=f"bench-{index}",
        metadata={"role": "web", "tier": "front"},
        keypair=Keypair(name="bench", public_key="ssh-rsa " + "A" * 372 + " bench@example.org"),
        flavor="m1.small",
        user_data="I2Nsb3VkLWNvbmZpZ3h4" * 20,
        interfaces=(
            Interface(
                port_id=uuid,
                mac="fa:16:3e:9c:bf:3d",
                device_name=f"tap{uuid[:11]}",
                network=network,
            ),
        ),
    )


def wrk_script(directory: Path, uuids: list[str], name: str = "hot", secret: str = SECRET) -> Path:
    """A wrk script that asks for these instances in turn, signed as a metadata agent signs."""
    rows = ",\n".join(f'{{"{uuid}","{sign(secret, uuid).decode()}"}}' for uuid in uuids)
    script = directory / f"{name}.lua"
    script.write_text(
        f"""
local who = {{{rows}}}
local made = {{}}
local at = 0
init = function(args)
  for i, w in ipairs(who) do
    wrk.headers["X-Instance-ID"] = w[1]
    wrk.headers["X-Instance-ID-Signature"] = w[2]
    wrk.headers["X-Tenant-ID"] = "{PROJECT}"
    wrk.headers["X-Forwarded-For"] = "10.0.0.5"
    made[i] = wrk.format("GET")
  end
end
request = function()
  at = at % #made + 1
  return made[at]
end
"""
    )
    return script


def paced(directory: Path, script: Path | None, name: str) -> Path:
    """The same load, with a millisecond between an answer and its connection's next request."""
    slower = directory / f"paced-{name.replace(' ', '-')}.lua"
    slower.write_text((script.read_text() if script else "") + "function delay() return 1 end\n")
    return slower


@contextmanager
def metadata(
    directory: Path,
    *,
    ttl: int = 3600,
    cache_mib: int = 256,
    name: str = "firstlight",
    target: str = "",
) -> Iterator[Server]:
    """`firstlight metadata` on the store in `directory`: signatures, access log and metrics on."""
    port = free_port()
    config = directory / f"{name}.conf"
    config.write_text(
        _CONFIG.format(
            port=port,
            status=free_port(),
            directory=directory,
            ttl=ttl,
            secret=SECRET,
            cache=cache_mib,
            target=target and f"deaf@{target}",
        )
    )
    yield from running(
        Server(
            name,
            [BIN / "firstlight", "metadata", "--config-file", config],
            port,
            directory / f"{name}.out",
        )
    )


@contextmanager
def bare_wire(directory: Path) -> Iterator[Server]:
    """Our HTTP server with a ready answer."""
    port = free_port()
    command = [sys.executable, "-m", "bench.trivial", str(port)]
    yield from running(Server("bare wire", command, port, directory / "bare.out"))


@contextmanager
def granian(directory: Path) -> Iterator[Server]:
    """granian with a trivial WSGI application."""
    port = free_port()
    command = [BIN / "granian", "--interface", "wsgi", "--port", str(port), "--workers", "1"]
    command += ["--no-access-log", "--log-level", "error", "bench.trivial:application"]
    yield from running(Server("granian WSGI", command, port, directory / "granian.out"))


@contextmanager
def nginx(directory: Path) -> Iterator[Server]:
    """nginx with a static file of the document's size."""
    port = free_port()
    (directory / "www").mkdir(exist_ok=True)
    (directory / "www" / "document").write_bytes(b"x" * 2048)
    directory.chmod(0o755)
    config = directory / "nginx.conf"
    config.write_text("user root;" + _NGINX.format(directory=directory, port=port))
    yield from running(
        Server("nginx static", ["nginx", "-c", config], port, directory / "nginx.out")
    )


def running(server: Server) -> Iterator[Server]:
    """Hand it out, and end it afterwards."""
    try:
        yield server
    finally:
        server.stop()
