"""Which tokens read secrets."""

import pytest

from firstlight.vendordata.auth.caller_roles import in_words, names, of_token, opened, reads_secrets


def test_roles_of_a_token():
    """Without case, spaces and empty names, as oslo.policy compares them."""
    assert of_token({"X-Roles": "Member, ,SERVICE"}) == ({"member", "service"}, False)
    assert of_token({"X-Roles": None}) == (frozenset(), False)
    assert of_token({"OpenStack-System-Scope": "all"}) == (frozenset(), True)
    assert of_token({"OpenStack-System-Scope": "other"})[1] is False


@pytest.mark.parametrize(
    ("roles", "system", "required", "reads"),
    [
        ("service", False, None, True),
        ("admin", False, None, True),
        ("member,reader", False, None, False),
        ("", False, None, False),
        ("reader", True, None, True),
        ("member", False, frozenset({"member"}), True),  # it was let in, and the operator said so
    ],
)
def test_who_reads_secrets(roles, system, required, reads):
    """Nova's own user does, a tenant's does not, unless an operator has decided otherwise."""
    assert reads_secrets(names(roles.split(",")), system=system, required=required) is reads


def test_what_an_operator_opens():
    """It is said whenever tenants read other projects' secrets by it."""
    assert opened(None) is None
    assert opened(frozenset({"service"})) is None
    assert str(opened(frozenset())).count("any valid token") == 1
    assert str(opened(frozenset({"service", "reader", "member"}))).endswith(": member, reader")


def test_in_words():
    """What the log says of a token."""
    assert in_words(frozenset({"reader", "member"}), system=False) == "member, reader"
    assert in_words(frozenset(), system=True) == "none, on the system"
