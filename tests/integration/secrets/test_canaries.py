"""A canary of every kind of secret: where it may be read, and that no log and no page has it.

Real processes, at DEBUG, with whatever they ask either there or away; what they log, as lines and
as JSON, what they show on their status pages and in metrics, how they were called, and what the
command line says.
"""

import http.client
import json
import re
import sqlite3
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import pytest
import requests

from conformance.asking import signature
from firstlight.sources.store import Store
from support.cloud.keystone_tokens import authtoken_section, keystone_words, token_of, user_options
from support.cloud.stand_ins import VaultStandIn, vault_stand_in
from support.cloud.store_samples import interface, server, uuid
from support.providers.leaky_providers import Leaky
from support.relay.agent_process import FIRSTLIGHT, Running, get
from support.servers.databases import eventually, free_port

HERE = Path(__file__).parents[2]
NETWORK = "aaaaaaaa-0000-4000-8000-00000000000a"

KINDS = (
    "shared-secret",
    "previous-secret",
    "service-token",
    "caller-token",
    "auth-password",
    "service-password",
    "vault-token",
    "vault-value",
    "user-data",
    "guest-password",
    "metadata-value",
    "target-user",
    "target-query",
    "redis-password",
    "api-database",
    "database",
    "rabbit",
    "answer",
)

# Two logs of everything: lines on standard output, JSON in a file.
LOGGING = """\
[loggers]
keys = root
[handlers]
keys = lines, json
[formatters]
keys = lines, json
[logger_root]
level = DEBUG
handlers = lines, json
[handler_lines]
class = StreamHandler
args = (sys.stdout,)
formatter = lines
[handler_json]
class = FileHandler
args = ({file!r},)
formatter = json
[formatter_lines]
class = oslo_log.formatters.ContextFormatter
[formatter_json]
class = oslo_log.formatters.JSONFormatter
"""


def canary(kind: str) -> str:
    """The secret of that kind, also if it is cut off or quoted."""
    assert kind in KINDS
    return f"canary-{kind}-0123456789"


def _installed(directory: Path) -> Path:
    """The leaky providers, as a package that is on the path."""
    (directory / "leaky_providers.py").write_text(
        (HERE / "support/providers/leaky_providers.py").read_text()
    )
    information = directory / "leaky_providers-1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: leaky\nVersion: 1\n")
    points = "".join(
        f"{name} = leaky_providers:{kind.__name__}\n" for name, kind in Leaky.all.items()
    )
    (information / "entry_points.txt").write_text(f"[firstlight.providers]\n{points}")
    return directory


class World:
    """All services of a cloud, and what they were heard to say."""

    def __init__(self, directory: Path, keystone: str, vault: VaultStandIn) -> None:
        self.directory = directory
        self.keystone = keystone
        self.vault = vault
        self.processes: list[Running] = []
        self.pages: dict[str, str] = {}
        self.ports = {
            name: free_port()
            for name in ("vendordata", "v-status", "metadata", "m-status", "nova", "n-status")
        }
        self.database = directory / "store.sqlite"
        self.confs = {
            "vendordata": self._vendordata(),
            "metadata": self._metadata(),
            "nova": self._nova(),
            "agent": self._agent(),
        }

    def _user(self, kind: str) -> str:
        name = token_of("service", scope="service", mark=canary("service-token"))
        return user_options(self.keystone, name).replace(
            "password = p\n", f"password = {canary(kind)}\n"
        )

    def _vendordata(self) -> str:
        providers = ",".join(Leaky.all)
        return f"""\
[DEFAULT]
debug = true
listen = 127.0.0.1
port = {self.ports["vendordata"]}
providers = {providers}
[firstlight]
status_port = {self.ports["v-status"]}
access_log = {self.directory}/vendordata.access
[service_auth]
{self._user("service-password")}
[vault]
url = {self.vault.url}
token = {canary("vault-token")}
path = pollinate
{authtoken_section(self.keystone)}
"""

    def _metadata(self) -> str:
        where = f"http://127.0.0.1:{self.ports['vendordata']}/providers"
        bad = f"bad@http://me:{canary('target-user')}@127.0.0.1:9/?key={canary('target-query')}"
        targets = f"good@{where}/leaky_told, failing@{where}/leaky_url, {bad}"
        return f"""\
[DEFAULT]
debug = true
metadata_listen = 127.0.0.1
metadata_listen_port = {self.ports["metadata"]}
[neutron]
service_metadata_proxy = true
metadata_proxy_shared_secret = {canary("shared-secret")}
[firstlight]
source = store
previous_shared_secrets = {canary("previous-secret")}
status_port = {self.ports["m-status"]}
access_log = {self.directory}/metadata.access
[store]
connection = sqlite:///{self.database}
timeout = 1
[api]
vendordata_providers = DynamicJSON
vendordata_dynamic_targets = {targets}
[vendordata_dynamic_auth]
{self._user("auth-password")}
"""

    def _nova(self) -> str:
        return f"""\
[DEFAULT]
debug = true
metadata_listen = 127.0.0.1
metadata_listen_port = {self.ports["nova"]}
transport_url = rabbit://me:{canary("rabbit")}@127.0.0.1:9/
[neutron]
service_metadata_proxy = true
metadata_proxy_shared_secret = {canary("shared-secret")}
{self._user("service-password")}
[firstlight]
status_port = {self.ports["n-status"]}
access_log =
notifications = true
[api_database]
connection = mysql+pymysql://nova:{canary("api-database")}@127.0.0.1:9/nova_api
[database]
connection = mysql+pymysql://nova:{canary("database")}@127.0.0.1:9/nova_cell0
[cache]
enabled = true
backend = dogpile.cache.redis
redis_server = 127.0.0.1:9
username = me
password = {canary("redis-password")}
socket_timeout = 0.5
"""

    def _agent(self) -> str:
        return f"""\
[DEFAULT]
debug = true
state_path = {self.directory}
nova_metadata_host = 127.0.0.1
nova_metadata_port = {self.ports["metadata"]}
metadata_proxy_shared_secret = {canary("shared-secret")}
[relay]
resolver = store
access_log = {self.directory}/agent.access
[store]
connection = sqlite:///{self.database}
"""

    def status(self, name: str) -> None:
        """Read every page of a status listener."""
        for page in ("healthz", "readyz", "metrics", f"about/{uuid(1)}"):
            url = f"http://127.0.0.1:{self.ports[name]}/{page}"
            self.pages[url] = requests.get(url, timeout=10).text

    def ask(self, path: str, token: str) -> requests.Response:
        """As Nova asks, or anybody."""
        body = {
            "project-id": "p",
            "instance-id": uuid(1),
            "user-data": b64encode(canary("user-data").encode()).decode(),
            "metadata": {"key": canary("metadata-value")},
        }
        url = f"http://127.0.0.1:{self.ports['vendordata']}{path}"
        return requests.post(url, json=body, headers={"X-Auth-Token": token}, timeout=20)

    def guest(
        self,
        path: str,
        method: str = "GET",
        body: bytes | None = None,
        *,
        secret: str = "shared-secret",
        port: str = "metadata",
        name: str = uuid(1),
    ) -> tuple[int, bytes]:
        """As a guest asks, by way of an agent."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[port], timeout=20)
        key = canary(secret) if secret in KINDS else secret
        headers = {
            "X-Instance-ID": name,
            "X-Tenant-ID": SERVER.project_id,
            "X-Instance-ID-Signature": signature(key, name),
        }
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        said = answer.status, answer.read()
        connection.close()
        return said

    def commands(self, *commands: str) -> None:
        """What commands print, side by side."""
        started = {
            command: subprocess.Popen(
                [FIRSTLIGHT, *command.split()], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            for command in commands
        }
        for command, process in started.items():
            said, _ = process.communicate(timeout=120)
            self.pages[command] = said.decode()

    def heard(self) -> dict[str, str]:
        """Everything that was logged, shown or said, by where."""
        logs = [*self.directory.glob("*.log"), *self.directory.glob("*.access")]
        found = {str(path): path.read_text(errors="replace") for path in logs}
        for process in self.processes:
            found[f"arguments of {process.config}"] = _arguments(process.pid)
        return found | self.pages


def _arguments(pid: int) -> str:
    """Of a process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    own = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    return own + "".join(_arguments(int(child)) for child in children)


SERVER = server(
    1,
    interfaces=(interface("10.0.0.5", "10.0.0.0/24", NETWORK),),
    user_data=b64encode(canary("user-data").encode()).decode(),
    metadata={"key": canary("metadata-value")},
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Everything that runs, for the whole module."""
    directory = tmp_path_factory.mktemp("world")
    installed = _installed(tmp_path_factory.mktemp("installed"))
    patch = pytest.MonkeyPatch()
    patch.setenv("PYTHONPATH", str(installed))
    patch.setenv("LEAKY", canary("answer"))
    with ExitStack() as stack:
        stack.callback(patch.undo)
        keystone = stack.enter_context(keystone_words())
        vault = stack.enter_context(vault_stand_in())
        vault.tokens[canary("vault-token")] = 1e12
        vault.down = True  # at first
        vault.keys = {"LICENSE_TOKEN_ARDC": canary("vault-value")}
        world = World(directory, keystone, vault)
        store = Store.open(f"sqlite:///{world.database}")
        store.add_all([SERVER])
        store.close()
        for name, text in world.confs.items():
            logging = directory / f"{name}.logging"
            logging.write_text(LOGGING.format(file=str(directory / f"{name}.json.log")))
            both = text.replace("debug = true\n", f"log_config_append = {logging}\n")
            process = Running(directory, "metadata" if name == "nova" else name, both, name)
            stack.callback(process.stop)
            world.processes.append(process)
        with ThreadPoolExecutor() as threads:
            list(threads.map(Running.start, world.processes))
        yield world


# NEL, CSI, a mark that turns text round (in UTF-8), and what is no UTF-8; as a header has them.
ODD = ("a\x85b", "a\x9b2Jb", "a\xe2\x80\xaeb", "\xff")

TRUSTED = token_of("service", scope="service", mark=canary("caller-token"))
TENANT = token_of("member", scope="red", mark=canary("caller-token"))


def test_who_may_read_them_does(world: World) -> None:
    """The canaries live: each is where it should be, so a log could have it."""
    told = world.ask("/providers/leaky_told", TRUSTED)
    assert canary("answer") in told.text
    assert canary("answer") in world.ask("/cloud-init", TRUSTED).text
    assert world.ask("/", TENANT).status_code == 403
    assert world.guest("/openstack/latest/user_data") == (200, canary("user-data").encode())
    assert world.guest("/openstack/latest/user_data", secret="previous-secret")[0] == 200
    status, said = world.guest("/openstack/latest/vendor_data2.json")
    assert (status, json.loads(said)["good"]["licence"]) == (200, canary("answer"))
    assert json.loads(said)["failing"] == {}
    assert canary("metadata-value").encode() in world.guest("/openstack/latest/meta_data.json")[1]


def test_no_log_and_no_page_has_one(world: World) -> None:
    """After everything that can go wrong went wrong."""
    _go_wrong(world)
    for name in ("v-status", "m-status", "n-status"):
        world.status(name)
    metadata, vendordata, nova = (
        f"--config-file {world.directory}/{name}.conf"
        for name in ("metadata", "vendordata", "nova")
    )
    run = f"--instance {uuid(1)} --project p {vendordata}"
    world.commands(
        f"check metadata {metadata}",
        f"check vendordata {vendordata}",
        f"check metadata --before-start {nova}",
        f"show {uuid(1)} --why {metadata}",
        f"provider run leaky_chain {run}",
        f"provider run leaky_told {run}",
    )
    heard = world.heard()
    _is_worth_reading(heard)
    found = {
        (where, kind)
        for where, text in heard.items()
        for kind in [*KINDS, *_made_of_them()]
        if (_made_of_them().get(kind) or canary(kind)) in text
    }
    assert not found, "\n".join(f"{kind} in {where}" for where, kind in sorted(found))
    assert "canary-" not in "".join(heard.values())
    logs = [text for where, text in heard.items() if where.endswith((".log", ".access"))]
    lines = [line for text in logs for line in text.replace("\t", " ").split("\n")]
    assert not [line for line in lines if not line.isprintable()]
    values = [value for line in lines if line.startswith("{") for value in _values(line)]
    assert not [value for value in values if not value.replace("\n", "").isprintable()]
    assert not [value for value in values if "canary-" in value]


def _go_wrong(world: World) -> None:
    for name in Leaky.all:
        path = f"/providers/{name}"
        assert canary("answer") not in world.ask(path, TENANT).text
        answer = world.ask(path, TRUSTED)
        assert (canary("answer") in answer.text) is (name == "leaky_told"), name
    world.vault.down = False
    assert eventually(
        lambda: canary("vault-value") in world.ask("/providers/leaky_vault", TRUSTED).text
    )
    world.ask("/", f"garbage-{canary('caller-token')}")
    world.guest("/openstack/latest/user_data", secret="guessed")
    world.guest("/openstack/latest/user_data", port="nova")
    for odd in ODD:  # a wrong signature, a right one, paths
        world.guest("/openstack", secret="guessed", name=f"odd-{odd}")
        world.guest("/openstack", name=f"odd-{odd}")
        path = f"/odd-{quote(odd, encoding='latin-1')}"
        assert world.guest(path)[0] == 404
        assert [world.ask(path, token).status_code for token in ("", TRUSTED)] == [401, 404]
    password = "/openstack/latest/password"
    with sqlite3.connect(world.database, isolation_level=None) as locked:
        locked.execute("BEGIN EXCLUSIVE")
        assert world.guest(password, "POST", canary("guest-password").encode())[0] == 503
        locked.execute("ROLLBACK")
    assert world.guest(password, "POST", canary("guest-password").encode())[0] == 200
    assert world.guest(password) == (200, canary("guest-password").encode())
    assert world.guest(password, "POST", canary("guest-password").encode())[0] == 409
    socket = world.directory / "metadata_proxy"
    asks = {"X_Neutron_Network_ID": NETWORK, "X_Forwarded_For": "10.0.0.5"}
    assert get(socket, "/openstack/latest/user_data", **asks)[0] == 200
    assert get(socket, "/nothing", **asks)[0] == 404


def _made_of_them() -> dict[str, str]:
    """What is as good as a secret: its signature of an id, and bytes of it in other letters."""
    return {
        "signature": signature(canary("shared-secret"), uuid(1)),
        "older signature": signature(canary("previous-secret"), uuid(1)),
        "user data as stored": str(SERVER.user_data)[:20],
        "password as hex": canary("guest-password").encode().hex(),
    }


def _values(line: str) -> Iterator[str]:
    """Every text in a line of JSON, as who reads it as JSON has it."""
    open_ = [json.loads(line)]
    while open_:
        value = open_.pop()
        if isinstance(value, dict):
            open_ += [*value, *value.values()]
        elif isinstance(value, list):
            open_ += value
        else:
            yield str(value)


def _is_worth_reading(heard: dict[str, str]) -> None:
    """The logs are at DEBUG, and what went wrong is in them."""
    everything = "".join(heard.values())
    for text in (
        "DEBUG",
        "provider leaky_url failed with an unexpected exception",
        "Traceback",
        "Asking Vault failed",
        "signature does not match",
        "vendordata target bad",
        "left out, because it may hold",
        "firstlight_provider_outcomes_total",
        "was given to instance",
        "odd-a",
    ):
        assert text in everything, text
    assert re.search("redis|shared cache", everything)
