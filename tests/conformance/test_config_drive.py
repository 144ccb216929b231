"""The config drive and HTTP say the same, path by path, but where §5.3 of metadata-api says so."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.asking import ask, signed_headers
from conformance.conftest import GetService
from conformance.processes import Service
from conformance.targets import Targets
from firstlight.cli import main
from firstlight.instance import Instance
from support.guests import drives

# By the secret that their agents sign with: one that has neither kind of vendor data off, one with
# fifteen targets of every kind, one without StaticJSON.
DEPLOYMENTS = {"signed": "s3", "open": "", "fatal-empty": "s3"}
_SEED = re.compile(rb'"random_seed": "[A-Za-z0-9+/=]{684}"')
_REQUESTER = "192.0.2.77"

Get = Callable[[str], bytes | None]


def build(service: Service, uuid: str, home: Path, *options: str) -> dict[str, bytes]:
    """The files of the drive that the command makes from the service's own configuration."""
    image, copy = home / "image", home / "copy"
    confs = [f"--config-file={service.log.parent / name}.conf" for name in ("deployment", "where")]
    assert main(["config-drive", uuid, "-o", str(image), *confs, *options]) == 0
    copy.mkdir()
    return drives.rock_ridge(image, copy)


def getter(service: Service, instance: Instance, deployment: str) -> Get:
    """Asks as the instance; None for what there is not."""
    headers = signed_headers(instance, DEPLOYMENTS[deployment]) | {"X-Forwarded-For": _REQUESTER}

    def get(path: str) -> bytes | None:
        heard = ask(service.port, "GET", path, headers)
        assert heard.status in (200, 404), heard
        return heard.body if heard.status == 200 else None

    return get


@pytest.mark.parametrize(
    ("deployment", "name"),
    [
        *(("signed", name) for name in ("full", "plain", "odd", "keyless", "injected")),
        *(("signed", name) for name in ("disks", "from-volume", "many-nics", "dhcp", "vif-types")),
        ("open", "full"),
        ("fatal-empty", "full"),
    ],
)
def test_drive_and_http_agree(
    service: GetService,
    instances: dict[str, Instance],
    deployment: str,
    name: str,
    tmp_path: Path,
) -> None:
    """Every document of every version has the same bytes, but for the random seed."""
    running, instance = service("firstlight", deployment), instances[name]
    get = getter(running, instance, deployment)
    drive = build(running, instance.uuid, tmp_path)
    openstack = {path: body for path, body in drive.items() if path.startswith("openstack/")}
    assert openstack == _without_seeds({path: get(f"/{path}") for path in openstack}, openstack)
    assert openstack.keys() == set(_listed(get))
    ec2 = drive.keys() - openstack.keys()
    assert {path.split("/")[1] for path in ec2} == {"2009-04-04", "latest"}
    for path in ec2:
        version, name = path.split("/")[1:]
        if name == "user-data":
            assert drive[path] == get(f"/{version}/user-data")
        else:
            crawled = _crawl(get, f"/{version}/meta-data")
            assert _as_text(json.loads(drive[path])) == crawled


def _without_seeds(
    served: dict[str, bytes | None], drive: dict[str, bytes]
) -> dict[str, bytes | None]:
    """What was served, with the drive's seeds in the place of seeds of the same form."""
    merged = {}
    for path, body in served.items():
        seed = _SEED.search(drive[path])
        merged[path] = body if seed is None or body is None else _SEED.sub(seed[0], body)
    return merged


def _listed(get: Get) -> Iterator[str]:
    """What HTTP lists and answers; all of it but the password is on a drive."""
    for version in _lines(get, "/openstack"):
        for name in _lines(get, f"/openstack/{version}"):
            path = f"openstack/{version}/{name}"
            if name != "password" and get(f"/{path}") is not None:
                yield path
    if get("/openstack/content/0000") is not None:
        yield "openstack/content/0000"


def _lines(get: Get, path: str) -> list[str]:
    body = get(path)
    return [] if body is None else body.decode().split("\n")


def _crawl(get: Get, path: str) -> dict[str, Any]:
    """A tree as cloud-init crawls it: by its listings, every leaf as text."""
    found: dict[str, Any] = {}
    for entry in _lines(get, path):
        name, _, key = entry.partition("=")
        if key:
            found[name] = {"_name": entry, **_crawl(get, f"{path}/{name}")}
        elif entry.endswith("/"):
            found[entry[:-1]] = _crawl(get, f"{path}/{entry[:-1]}")
        else:
            found[entry] = (get(f"{path}/{entry}") or b"").decode()
    return found


def _as_text(value: Any, name: str = "") -> Any:
    """A drive's value as HTTP shows it, which knows who asks."""
    if isinstance(value, dict):
        return {key: _as_text(below, key) for key, below in value.items()}
    if isinstance(value, list):
        return "\n".join(map(str, value))
    return _REQUESTER if name == "local-ipv4" and value is None else str(value)


def test_each_target_is_asked_once(
    service: GetService,
    instances: dict[str, Instance],
    vendordata_targets: Targets,
    tmp_path: Path,
) -> None:
    """For all versions of a drive together; Nova asks once for each."""
    running = service("firstlight", "open")
    before = len(vendordata_targets.seen)
    build(running, instances["full"].uuid, tmp_path)
    asked = Counter(request.path for request in vendordata_targets.seen[before:])
    names = "list string null empty no-content not-json refuses missing breaks moved moved-relative"
    assert asked == {"/object": 2} | {f"/{name}": 1 for name in names.split()}  # one was redirected


def test_a_fatal_failure_makes_no_drive(
    service: GetService,
    instances: dict[str, Instance],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Where a failing target is an error over HTTP, there is no file, and the reason is said."""
    running = service("firstlight", "fatal")
    with pytest.raises(AssertionError):
        build(running, instances["full"].uuid, tmp_path)
    assert list(tmp_path.iterdir()) == []
    said = capsys.readouterr().err
    assert "target bad" in said
    assert "required target" in said


def test_a_static_file_that_nobody_shows_is_not_read(
    service: GetService, instances: dict[str, Instance], tmp_path: Path
) -> None:
    """It is missing, and StaticJSON is off: Nova builds no drive, ours is without vendor data."""
    running = service("firstlight", "broken-static")
    drive = build(running, instances["plain"].uuid, tmp_path)
    assert drive["openstack/latest/vendor_data2.json"] == b"{}"
    assert "openstack/latest/vendor_data.json" not in drive
