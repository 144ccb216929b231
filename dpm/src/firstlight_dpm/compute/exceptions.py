"""From the HMC's errors to Nova's: one table, at the border that Nova calls.

Nova makes of an exception in spawn: a new try on another host, unless its class says that no host
does better. HmcErrors never get further than here.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from nova import exception

from firstlight_dpm.errors import Consequence, HmcError

P = ParamSpec("P")
R = TypeVar("R")


class HmcFailure(exception.NovaException):
    """Something on the HMC did not happen; the message says what, and what to do."""


class HmcUnavailable(exception.HypervisorUnavailable):
    """The HMC could not be asked; nothing is known."""


_TOLD: dict[Consequence, type[exception.NovaException]] = {
    Consequence.ELSEWHERE: HmcFailure,
    # Never InstanceNotFound: Nova would take it for a server that its owner has deleted.
    Consequence.GONE: HmcFailure,
    Consequence.LATER: HmcUnavailable,
    Consequence.ABORT: exception.InvalidInput,
}


def nova_exception(error: HmcError) -> exception.NovaException:
    """The same, as Nova understands it."""
    return _TOLD[error.consequence](str(error))


def raises_nova_exceptions(method: Callable[P, R]) -> Callable[P, R]:
    """Nova's exception for whatever HmcError the method raises."""

    @wraps(method)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except HmcError as error:
            raise nova_exception(error) from error

    return called
