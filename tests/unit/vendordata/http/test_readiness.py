"""What makes the vendordata service unready, and what leaves it degraded."""

import pytest

from firstlight.health import Dependency
from firstlight.vendordata.contract import Provider, ProviderFailed
from firstlight.vendordata.http.readiness import Readiness


class Backed(Provider):
    """Depends on something."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    @classmethod
    def from_conf(cls, conf, clients):
        return cls()

    def provide(self, context):
        return {}

    def ready(self) -> None:
        if self.error is not None:
            raise self.error


def asked(keystone=None, **providers: Backed) -> Readiness:
    """After everybody was asked once."""
    readiness = Readiness(keystone, providers)
    for dependency in readiness.dependencies():
        dependency.probe()
    return readiness


def found(readiness: Readiness) -> dict[str, str | None]:
    return {name: check() for name, check in readiness.checks.items()}


def test_all_well():
    """Nothing is said against anybody."""
    readiness = asked(one=Backed(), two=Backed())
    assert found(readiness) == {"providers": None}
    assert readiness.concerns() == {"providers": None, "provider one": None, "provider two": None}


def test_one_provider_is_away():
    """The others can answer, so the service is ready; the reason is the provider's own words."""
    readiness = asked(one=Backed(), two=Backed(ProviderFailed("Vault is sealed.")))
    assert found(readiness) == {"providers": None}
    assert readiness.concerns()["provider two"] == "Vault is sealed."


def test_all_providers_are_away():
    """Then it can answer nothing."""
    readiness = asked(one=Backed(ProviderFailed("no")))
    assert "none of them can answer" in str(found(readiness)["providers"])


def test_a_provider_that_breaks_its_contract(caplog):
    """Anybody's mistake is said with its type and logged whole; its text may hold a secret."""
    readiness = asked(one=Backed(), two=Backed(ValueError("hunter2")))
    assert readiness.concerns()["provider two"] == "It raised ValueError; the log has more."
    assert "hunter2" in caplog.text


def test_no_provider():
    """It answers, and every answer is empty: that is said, and no reason to send callers away."""
    readiness = asked()
    assert found(readiness) == {"providers": None}
    assert "none is enabled" in str(readiness.concerns()["providers"])


@pytest.mark.parametrize("trouble", [None, "tokens cannot be checked: no route"])
def test_keystone(trouble):
    """Without it nobody new can be answered."""
    keystone = Dependency("keystone", lambda: trouble, lambda: None)
    assert found(asked(keystone, one=Backed()))["keystone"] == trouble


def test_what_comes_back():
    """The next question finds it."""
    provider = Backed(ProviderFailed("no"))
    readiness = asked(one=provider)
    provider.error = None
    for dependency in readiness.dependencies():
        dependency.probe()
    assert found(readiness) == {"providers": None}
