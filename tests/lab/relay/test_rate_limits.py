"""Neutron's rate limit: a real haproxy with Neutron's file and our proxy, asked the same things."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple
from uuid import uuid4

from lab.relay.haproxies import haproxy
from support.parts import need
from support.relay.namespaces import METADATA, METADATA_IPV6, Namespace
from support.relay.relay_host import PATIENCE, RelayHost
from support.servers.databases import eventually

BY_IPV4 = f"http://{METADATA}/"
BY_LINK_LOCAL = f"http://[{METADATA_IPV6}%25eth0]/"
# No test waits for a window to end, so that all that counts is how many have asked.
LONG = "base_window_duration = 600\nburst_window_duration = 600\n"
ON = f"[metadata_rate_limiting]\nrate_limit_enabled = true\n{LONG}"


class Sides(NamedTuple):
    """A guest before our proxy, and one before haproxy; both proxies have the same agent."""

    host: RelayHost
    ours: Namespace
    theirs: Namespace

    def statuses(self, *urls: str) -> tuple[list[str], list[str]]:
        """What each of the two is answered, to these questions one after the other."""
        ours, theirs = (asked(guest, urls) for guest in (self.ours, self.theirs))
        return ours, theirs


def asked(guest: Namespace, urls: tuple[str, ...]) -> list[str]:
    """Statuses, in order; one curl asks all of it, over connections that it may keep."""
    each = [word for url in urls for word in ("--output", "/dev/null", url)]
    return guest.curl("-w", "%{http_code}\n", *each, seconds=60).stdout.decode().split()


@contextmanager
def sides(options: str) -> Iterator[Sides]:
    """With these options of Neutron's."""
    with ExitStack() as stack:
        host = stack.enter_context(RelayHost(more=options))
        ours, theirs = (host.networks.isolated(name) for name in (f"qdhcp-{uuid4()}", "elsewhere"))
        inside = Namespace(host.directory, "elsewhere")._inside
        stack.enter_context(haproxy("network", str(uuid4()), host.home / "agent", inside, options))
        for guest in (ours, theirs):  # until both listen; a connection alone is no request
            for host_name in (METADATA, f"{METADATA_IPV6}%eth0"):
                assert eventually(lambda g=guest, h=host_name: accepts(g, h), PATIENCE)  # type: ignore[misc]
        yield Sides(host, ours, theirs)


def accepts(guest: Namespace, host: str) -> bool:
    """Whether somebody listens on port 80 there."""
    code = f"import socket; socket.create_connection(('{host}', 80), 5).close()"
    return (
        subprocess.run(guest._inside(need("python3"), "-c", code), capture_output=True).returncode
        == 0
    )


def test_ten_in_ten_seconds() -> None:
    """By default ten pass, as before haproxy; others never reach the agent, and IPv6 is free. What
    the eleventh is told has haproxy's status; the body is text where haproxy's is a page, and says
    when to ask again."""
    with sides(ON) as both:
        before = len(both.host.asked)
        ours, theirs = both.statuses(*[BY_IPV4] * 13, *[BY_LINK_LOCAL] * 13)
        assert theirs == ["200"] * 10 + ["429"] * 3 + ["200"] * 13
        assert ours == theirs
        assert len(both.host.asked) - before == 2 * 23
        ours, theirs = (
            guest.curl("-i", BY_IPV4).stdout.decode().lower() for guest in (both.ours, both.theirs)
        )
    for answer in (ours, theirs):
        assert answer.startswith("http/1.1 429 too many requests\r\n")
    assert "content-type: text/html\r\n" in theirs
    assert "cache-control: no-cache\r\n" in theirs
    assert "retry-after" not in theirs
    assert "content-type: text/plain" in ours
    assert "retry-after: 1\r\n" in ours
    assert "cache-control" not in ours


def test_over_ipv6() -> None:
    """The tighter of the two limits counts, over the protocol that ip_versions names. Where that is
    IPv6, haproxy counts IPv4 as well: its table takes such addresses for v4-mapped ones."""
    limits = "base_query_rate_limit = 20\nburst_query_rate_limit = 3\nip_versions = 6\n"
    with sides(ON + limits) as both:
        ours, theirs = both.statuses(*[BY_LINK_LOCAL] * 5, *[BY_IPV4] * 5)
        refused, free = ["200"] * 3 + ["429"] * 2, ["200"] * 5
        assert theirs == refused + refused
        assert ours == refused + free


def test_over_both() -> None:
    """Where Neutron limits nobody, because haproxy's tables are of one version, both count."""
    with sides(f"{ON}ip_versions = 4,6\nbase_query_rate_limit = 2") as both:
        ours, theirs = both.statuses(*[BY_IPV4] * 3, *[BY_LINK_LOCAL] * 3)
        assert theirs == ["200"] * 6
        # Before somebody else's agent nobody knows that the two addresses are one guest's.
        assert ours == ["200", "200", "429"] * 2
