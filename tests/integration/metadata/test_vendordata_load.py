"""Many guests boot at once: each target is called once for each instance, and then nobody waits."""

import asyncio
import json
import os
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.request import urlopen

import pytest

from conformance.processes import Service, instance_command, running
from lab.asking import Client, signed
from lab.nova import SECRET

SOAK = bool(os.environ.get("FIRSTLIGHT_SOAK"))
INSTANCES = 1000 if SOAK else 40
TARGETS = ("one", "two", "three")
LATENCY = 0.2  # seconds that each target takes
_LEAVES = "instance-id local-hostname hostname local-ipv4 public-ipv4 ami-id ami-launch-index"
# What a cloud-init of today asks, in its order; 28 requests.
BOOT = [
    "/openstack",
    "/openstack",
    "/openstack",
    "/openstack/2018-08-27",
    *(
        f"/openstack/2018-08-27/{name}"
        for name in (
            "meta_data.json",
            "vendor_data.json",
            "vendor_data2.json",
            "network_data.json",
        )
    ),
    "/latest/meta-data/",
    *(f"/latest/meta-data/{leaf}" for leaf in _LEAVES.split()),
    *(["/latest/meta-data/security-groups"] * 11),
    "/openstack/latest/vendor_data2.json",
]


class Targets:
    """Three targets in one server that counts; a thread for each connection would be too many."""

    def __init__(self) -> None:
        self.calls: Counter[tuple[str, str]] = Counter()
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()
        begun = asyncio.run_coroutine_threadsafe(self._listen(), self.loop)
        self.port: int = begun.result(20)

    def close(self) -> None:
        self._server.close()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    async def _listen(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024)
        return int(self._server.sockets[0].getsockname()[1])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next(
                    int(line.split(b":")[1])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length")
                )
                question = json.loads(await reader.readexactly(length))
                path = head.split(b" ")[1].decode()
                self.calls[path, question["instance-id"]] += 1
                await asyncio.sleep(LATENCY)
                body = json.dumps({"of": question["hostname"], "by": path}).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
        except asyncio.CancelledError:
            writer.close()


@pytest.fixture
def targets() -> Iterator[Targets]:
    made = Targets()
    yield made
    made.close()


@pytest.fixture
def service(tmp_path: Path, targets: Targets) -> Iterator[Service]:
    """The service with so many instances and three targets."""
    documents, conf, store = (tmp_path / n for n in ("all.json", "metadata.conf", "store.sqlite"))
    documents.write_text(json.dumps([document(number) for number in range(INSTANCES)]))
    listed = ", ".join(f"{name}@http://127.0.0.1:{targets.port}/{name}" for name in TARGETS)
    conf.write_text(
        f"[neutron]\nservice_metadata_proxy = true\nmetadata_proxy_shared_secret = {SECRET}\n"
        "[api]\nvendordata_providers = StaticJSON, DynamicJSON\n"
        f"vendordata_dynamic_targets = {listed}\nmetadata_cache_expiration = 3600\n"
        + "".join(f"[vendordata_target:{name}]\nconnections = 64\n" for name in TARGETS)
    )
    instance_command(store, tmp_path, "add", str(documents))
    with running("firstlight", tmp_path, store, [conf]) as found:
        yield found


def uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


def document(number: int) -> dict[str, object]:
    return {"uuid": uuid(number), "project_id": "p", "name": f"n{number}", "hostname": f"n{number}"}


def boot(service: Service, number: int) -> None:
    """One guest's whole crawl; everything it asks for is there."""
    headers = signed(uuid(number), "p", SECRET, None).items()
    with Client(service.port) as client:
        for path in BOOT:
            reply = client.ask(path, headers)
            assert reply.status == 200, path
            if path.endswith("vendor_data2.json"):
                said = json.loads(reply.body)
                assert [said[name]["of"] for name in TARGETS] == [f"n{number}"] * len(TARGETS)


def served(service: Service) -> float:
    """How many answers of targets were worked out so far."""
    with urlopen(f"http://127.0.0.1:{service.status_port}/metrics", timeout=60) as answer:
        lines = answer.read().decode().splitlines()
    return sum(
        float(line.rpartition(" ")[2])
        for line in lines
        if line.startswith("firstlight_target_served_total")
    )


def test_each_target_is_called_once_for_each_instance(service: Service, targets: Targets) -> None:
    """28 requests of each guest, all at once; and again, when not even the answers are put together
    anew: the document comes from memory like any other."""
    assert len(BOOT) == 28
    with ThreadPoolExecutor(64) as guests:
        list(guests.map(lambda number: boot(service, number), range(INSTANCES)))
        assert len(targets.calls) == INSTANCES * len(TARGETS)
        assert set(targets.calls.values()) == {1}
        worked_out = served(service)
        list(guests.map(lambda number: boot(service, number), range(INSTANCES)))
    assert set(targets.calls.values()) == {1}
    assert served(service) == worked_out
