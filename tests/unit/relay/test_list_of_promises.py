"""What a replacement of Neutron's proxy and agent has to do, line by line, and the tests of it.

The lines are those of the conformance list and of the table of forgeries that this project keeps of
Neutron's behaviour; a line without a test, or a test that is gone, fails here.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[2]
IDENTITY = "integration/relay/test_agent_identity.py"
PASSAGE = "integration/relay/test_agent_passage.py"
TROUBLE = "integration/relay/test_agent_trouble.py"
PROCESS = "integration/relay/test_agent_process.py"
PROXY = "integration/relay/test_proxy.py"
CROWDS = "integration/relay/test_crowds.py"
UPGRADE = "integration/relay/test_upgrade.py"
ROAD = "lab/relay/test_agent_road.py"
NEUTRON = "lab/relay/test_real_neutron_resolvers.py"
AWAY = "lab/relay/test_neutron_away.py"
PLACE = "unit/relay/test_request_origin.py"

CONFORMANCE = {
    "one id header is required, and never taken from the guest": [
        (PLACE, "test_unplaced"),
        (PLACE, "test_where_we_are_the_proxy"),
        (IDENTITY, "test_where_we_are_the_proxy"),
        (PROXY, "test_forged_headers"),
    ],
    "IPv4, v4-mapped, global IPv6, link-local IPv6": [
        (PLACE, "test_addresses"),
        (ROAD, "test_a_guest_gets_its_own"),
        (ROAD, "test_global_ipv6"),
        (ROAD, "test_behind_a_router"),
        (PROXY, "test_isolated"),
        (PROXY, "test_routed"),
    ],
    "EUI-64 is checked for ff:fe": [
        ("unit/relay/test_link_local.py", "test_made_otherwise"),
        (NEUTRON, "test_link_local_of_no_port"),
    ],
    "no port: 404; one: answered; several: 404, and a log line names them": [
        (IDENTITY, "test_four_answers"),
        (NEUTRON, "test_an_address_that_two_ports_have"),
        (NEUTRON, "test_ports_without_an_instance"),
    ],
    "a guest's own address, id and instance headers are replaced, and never a 5xx": [
        (IDENTITY, "test_forged"),
        (ROAD, "test_forged"),
        (PROXY, "test_forged_headers"),
    ],
    "header block and body past 4 kB": [(PASSAGE, "test_large_bodies")],
    "chunked": [(PASSAGE, "test_chunked_request")],
    "100-continue": [(PASSAGE, "test_continue")],
    "HEAD": [(PASSAGE, "test_head")],
    "keep-alive": [
        (PASSAGE, "test_kept_connection"),
        (PASSAGE, "test_a_guest_keeps_its_connection"),
    ],
    "binary and gzip user data, byte for byte": [
        (PASSAGE, "test_bodies"),
        (PROCESS, "test_a_guest_gets_its_own"),
        (ROAD, "test_a_guest_gets_its_own"),
    ],
    "every status of the upstream": [(PASSAGE, "test_every_status")],
    "refused, slow and reset upstream: 503, 504, 502, with a body of its type": [
        (TROUBLE, "test_refused_connection"),
        (TROUBLE, "test_slow_upstream"),
        (TROUBLE, "test_broken_upstream"),
    ],
    "40 simultaneous first requests, none lost": [
        (ROAD, "test_forty_first_requests"),
        (CROWDS, "test_first_requests"),
        (CROWDS, "test_whole_boots"),
    ],
    "socket mode, owner and backlog as configured": [
        (PROCESS, "test_mode_and_owner"),
        (PROCESS, "test_backlog"),
    ],
    "a restart loses no request in flight": [
        (PROCESS, "test_reload_loses_no_request"),
        (PROCESS, "test_answers_what_was_asked_before_it_ends"),
        (PROCESS, "test_answers_what_was_asked_before_a_reload"),
        (UPGRADE, "test_everything_is_replaced_under_load"),
        (UPGRADE, "test_what_was_asked_before_a_reload"),
    ],
    "a limit for each guest, IPv4 and IPv6 together": [
        ("unit/relay/proxy/test_token_bucket.py", "test_one_port_is_one_guest"),
        (PROXY, "test_too_often"),
        ("lab/relay/test_rate_limits.py", "test_over_both"),
    ],
    "a readiness probe that needs no fake guest": [
        ("integration/relay/test_proxy_agent.py", "test_ready_without_a_guest"),
        (PROCESS, "test_status"),
        (PROCESS, "test_not_ready"),
        (TROUBLE, "test_a_quiet_upstream_is_looked_at"),
    ],
}
FORGERIES = {
    "a network's or router's id": [
        (IDENTITY, "test_forged"),
        (ROAD, "test_forged"),
        (PROXY, "test_forged_headers"),
    ],
    "an OVN network's id, which Neutron's haproxy there does not delete": [
        (IDENTITY, "test_forged"),
        (ROAD, "test_forged"),
    ],
    "X-Forwarded-For": [(IDENTITY, "test_forged"), (ROAD, "test_forged")],
    "an instance's id, its signature, its project": [
        (IDENTITY, "test_forged"),
        (ROAD, "test_forged"),
    ],
    # Port security's to stop, while Neutron answers; the kernel's neighbours decide while not.
    "the address of another port, or its MAC in a link-local address": [
        (AWAY, "test_neutron_away")
    ],
    "a link-local address that was made from no MAC": [
        (ROAD, "test_another_guests_address"),
        (NEUTRON, "test_link_local_of_no_port"),
    ],
    "whoever reaches the metadata service, and a secret that is empty": [
        ("unit/metadata/test_identity.py", "test_a_wrong_signature_is_refused"),
        (PROCESS, "test_an_empty_secret_is_said"),
    ],
}


@cache
def functions(path: str) -> frozenset[str]:
    """The names of a test module's functions."""
    tree = ast.parse((TESTS / path).read_text())
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("line", [*CONFORMANCE, *FORGERIES])
def test_every_line_has_its_tests(line: str) -> None:
    """The tests that a line names are there."""
    named = (CONFORMANCE | FORGERIES)[line]
    assert named
    assert [(path, name) for path, name in named if name not in functions(path)] == []
