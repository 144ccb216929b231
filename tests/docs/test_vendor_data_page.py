"""Every configuration that the page about vendor data shows can be started with."""

import re
from collections.abc import Iterator
from configparser import ConfigParser
from contextlib import closing
from pathlib import Path

import pytest

from firstlight import conf as configuration
from firstlight.concurrency.workers import Workers
from firstlight.metadata.backend import open_backend
from firstlight.metadata.boot.deploy import open_boot_gate
from firstlight.metadata.boot.set_server_error import open_compute
from firstlight.vendordata_client import vendor_data

PAGE = Path(__file__).resolve().parents[2] / "docs" / "vendor-data-for-operators.md"
BLOCKS = re.findall(r"^```ini\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
_ON = "[api]\nvendordata_providers = StaticJSON, DynamicJSON\n[store]\nconnection = sqlite://{}/s\n"


@pytest.mark.parametrize("block", BLOCKS, ids=[block.split("\n")[-2] for block in BLOCKS])
def test_a_documented_configuration_starts(block: str, tmp_path: Path) -> None:
    """Each option is known, each section is some target's, and the service would begin with it."""
    path = tmp_path / "metadata.conf"
    path.write_text(_ON.format(f"/{tmp_path}") + block)
    conf = configuration.load("metadata", [str(path)])
    known = conf.list_all_sections()
    named = [section for section in known if section.startswith("vendordata_target:")]
    targets = {entry.partition("@")[0] for entry in conf.api.vendordata_dynamic_targets}
    assert {section.partition(":")[2] for section in named} <= targets
    origin, pool = open_backend(conf), Workers("test", threads=1, waiting=1)
    with closing(vendor_data(conf)) as vendordata:
        open_boot_gate(conf, vendordata, origin, pool).close()
    if conf.firstlight.vendordata_error_auth_section:
        open_compute(conf)
    for section, option in _options(block):
        assert option in conf[section], f"[{section}] {option} is no option"
    pool.close()
    origin.close()


def _options(block: str) -> Iterator[tuple[str, str]]:
    parser = ConfigParser()
    parser.read_string(block)
    for section in parser.sections():
        yield from ((section, option) for option in parser[section])


def test_there_are_some() -> None:
    """The page's form is what the test above looks for."""
    assert len(BLOCKS) == 5
