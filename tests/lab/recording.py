"""Ask real Nova about the kinds and hand back what it said."""

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab import golden
from lab.asking import Client, Reply, signed
from lab.kinds.kind import Kind
from lab.neutron import Neutron, port
from lab.nova import SECRET, Nova
from lab.serving import Asked, serving
from lab.serving import Reply as Served
from lab.settings import TARGETS, Settings


class SlashMatters(Exception):
    """Nova answered a path otherwise with a slash after it, which no golden file could say."""


class Lab:
    """Real Nova, with a stand-in for Neutron and targets for DynamicJSON.

    Attributes:
        network_info: what Nova's cache holds of each kind's interfaces.
    """

    def __init__(
        self,
        environment: Path,
        directory: Path,
        *,
        url: str,
        kinds: Iterable[Kind],
        asked: dict[str, Asked],
        databases: Mapping[str, str] | None = None,
        cells: int = 1,
    ) -> None:
        self._directory = directory
        self._url = url
        self._asked = asked
        self._nova = Nova(environment, directory, neutron=url, databases=databases)
        self.network_info = self._nova.make_instances(kinds, cells=cells)

    @property
    def nova_conf(self) -> Path:
        """The file that Nova was last started from."""
        return self._directory / "nova.conf"

    @contextmanager
    def serving(self, settings: Settings, **neutron: str) -> Iterator[int]:
        """Real Nova under these settings; the port is handed out.

        Nothing changes while it is asked, so it may remember: without its cache Nova answers some
        thirty requests a second, and there are tens of thousands of them.
        """
        api = settings.api(self._directory, self._url) | {"metadata_cache_expiration": "3600"}
        with self._nova.serving(api, **neutron) as number:
            yield number

    def asked(self) -> dict[str, Any]:
        """The request each target got last, without what differs from run to run."""
        return {name: _asked_to_json(self._asked[name]) for name in sorted(self._asked)}


@contextmanager
def a_lab(
    environment: Path,
    kinds: Iterable[Kind],
    *,
    ports: Iterable[Mapping[str, Any]] = (),
    subnets: Iterable[Mapping[str, Any]] = (),
    databases: Mapping[str, str] | None = None,
    cells: int = 1,
) -> Iterator[Lab]:
    """Everything up, in a directory that is gone afterwards.

    `databases` and `cells` are as :class:`lab.nova.Nova` has them.
    """
    kinds = list(kinds)
    carried = [
        port(kind.instance["uuid"], kind.instance["project_id"], groups)
        for kind in kinds
        for groups in kind.port_groups
    ]
    neutron = Neutron([*carried, *ports], list(subnets))
    asked: dict[str, Asked] = {}

    def answer(request: Asked) -> Served:
        if request.path.startswith("/target/"):
            name = request.path.removeprefix("/target/")
            asked[name] = request
            return TARGETS[name][0]
        return neutron.answer(request.path, request.query) or Served(404, b"{}")

    directory = Path(tempfile.mkdtemp(prefix="firstlight-nova-"))
    try:
        with serving(answer) as url:
            yield Lab(
                environment,
                directory,
                url=url,
                kinds=kinds,
                asked=asked,
                databases=databases,
                cells=cells,
            )
    finally:
        shutil.rmtree(directory)


def ask_all(service: int, kind: Kind, paths: Iterable[str], *, slash: bool) -> dict[str, Reply]:
    """Path → reply, the seed marked. With `slash` each path is asked with one after it, too.

    Raises:
        SlashMatters: the two replies differ.
    """
    with Client(service) as client:
        return {path: _ask(client, kind, path, slash=slash) for path in paths}


def _ask(client: Client, kind: Kind, path: str, *, slash: bool) -> Reply:
    ours = kind.instance
    headers = signed(ours["uuid"], ours["project_id"], SECRET, kind.requester).items()
    reply = _marked(client.ask(path, headers))
    if slash and "?" not in path and _marked(client.ask(f"{path}/", headers)) != reply:
        raise SlashMatters(f"{kind.name}: {path}")
    return reply


def _marked(reply: Reply) -> Reply:
    return Reply(reply.status, reply.content_type, golden.marked(reply.body))


def _asked_to_json(request: Asked) -> dict[str, Any]:
    headers = {name: value for name, value in request.headers.items() if name != "Host"}
    return {"method": request.method, "headers": headers, "body": request.body.decode()}
