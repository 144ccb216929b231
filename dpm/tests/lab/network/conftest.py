"""One Neutron with two agents for all that is here."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from network_site import Site, site_in
from support.parts import absent


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Made once; a test leaves it as it was, but for ports and NICs."""
    for program in ("neutron-rpc-server", "neutron-dpm-agent"):
        if not (Path(sys.prefix) / "bin" / program).exists():
            absent(f"no {program} in {sys.prefix}; use the Python that tools/dpm-env names")
    with site_in(tmp_path_factory.mktemp("site")) as site:
        yield site
