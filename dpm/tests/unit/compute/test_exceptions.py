"""What Nova is told of the HMC's errors."""

import pytest
from nova import exception

from firstlight_dpm import errors
from firstlight_dpm.compute.exceptions import HmcFailure, HmcUnavailable, raises_nova_exceptions


def raising(error: Exception):
    """A driver's method that ends so."""

    @raises_nova_exceptions
    def method() -> None:
        raise error

    return method


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.Refused("starting", "no"), HmcFailure),
        (errors.AdapterMissing("making", "no"), HmcFailure),
        # Not InstanceNotFound: Nova would hold the server for deleted by its owner.
        (errors.Gone("starting", "no"), HmcFailure),
        (errors.Unreachable("starting", "no"), HmcUnavailable),
        (errors.Busy("starting", "no"), HmcUnavailable),
    ],
)
def test_told(error: errors.HmcError, expected: type[exception.NovaException]):
    """Each is one of Nova's, with the same words and the cause."""
    with pytest.raises(expected) as told:
        raising(error)()
    assert str(told.value) == str(error)
    assert told.value.__cause__ is error
    assert not isinstance(told.value, exception.NotFound)


def test_nova_s_own():
    """Nova's exceptions pass."""
    with pytest.raises(exception.InstanceNotFound):
        raising(exception.InstanceNotFound(instance_id="x"))()


def test_unavailable_is_nova_s():
    """An HMC that is away is what Nova calls a hypervisor that is."""
    assert issubclass(HmcUnavailable, exception.HypervisorUnavailable)
