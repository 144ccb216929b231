"""A stand-in for Neutron that costs next to nothing: each server has a port in one group.

Real Neutron takes tens of milliseconds for what Nova asks for each document; beside this one Nova
is as fast as it can be. Below /target it is a vendordata target that takes its time.
"""

import json
import sys
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Timer
from typing import Any
from urllib.parse import parse_qs

from bench.setting import PROJECT
from firstlight.httpd.listener import Listener
from firstlight.httpd.process.generation import run
from firstlight.httpd.protocol.messages import Request, Response
from firstlight.httpd.server import Server
from firstlight.httpd.sockets.listening import Tcp

GROUP = "00000005-0000-4000-8000-000000000001"
LATENCY = 0.2  # seconds that a vendordata target takes


def answer(request: Request) -> Response | Future[Response]:
    """The list that is asked for; or what a vendordata target says, later."""
    path, _, query = request.target.partition("?")
    if path.startswith("/target/"):
        return _later(Response(200, b'{"rack": 7}', b"application/json"))
    wanted = parse_qs(query)
    if path.endswith("/ports"):
        return _list("ports", [_port(device) for device in wanted.get("device_id", ())])
    if path.endswith("/security-groups"):
        return _list("security_groups", [_group(each) for each in wanted.get("id", ())])
    return Response(404, b"{}", b"application/json")


def _later(response: Response) -> Future[Response]:
    promise: Future[Response] = Future()
    Timer(LATENCY, promise.set_result, [response]).start()
    return promise


def _port(device: str) -> Mapping[str, Any]:
    return {"device_id": device, "tenant_id": PROJECT, "security_groups": [GROUP]}


def _group(number: str) -> Mapping[str, Any]:
    return {"id": number, "name": "default"}


def _list(name: str, rows: list[Mapping[str, Any]]) -> Response:
    return Response(200, json.dumps({name: rows}).encode(), b"application/json")


@contextmanager
def build(opened):
    """The one listener."""
    yield Server([Listener(opened["neutron"], answer, "neutron")])


if __name__ == "__main__":
    sys.exit(run(build, {"neutron": Tcp("127.0.0.1", int(sys.argv[1]))}))
