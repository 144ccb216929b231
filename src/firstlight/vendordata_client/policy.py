"""What is agreed with each target: how it is called, and how long its answers are kept."""

from msgspec import Struct

from firstlight.vendordata_client.cache.freshness import CacheLifetime


class CallPolicy(Struct, frozen=True, kw_only=True):
    """How a target is called.

    Raises:
        ValueError: a timeout is not positive. Nova takes a `read_timeout` of 0 and then fails each
            call; here the start fails instead, because a guest would never see a target's data.
    """

    connect_timeout: float = 5.0  # seconds
    read_timeout: float = 5.0  # seconds until the next byte
    timeout: float | None = None  # seconds for one call as a whole; None: the question's deadline
    ca_file: str | None = None  # for https; None: the system's
    certificate: str | tuple[str, str] | None = None  # PEM file, or it and its key's; None: none
    max_bytes: int = 1024 * 1024  # of an answer, decompressed
    in_flight: int = 16  # requests to one target at a time

    def __post_init__(self) -> None:
        for name in ("connect_timeout", "read_timeout"):
            if getattr(self, name) <= 0:
                raise ValueError(
                    f"[api] vendordata_dynamic_{name} is {getattr(self, name):g}, with which every "
                    "call to a target fails; set it to seconds above 0 (the default is 5)"
                )


class CachePolicy(Struct, frozen=True, kw_only=True):
    """How long answers are kept, in seconds, where they do not say so themselves.

    The default keeps nothing that does not ask for it, as Nova.
    """

    ttl: float = 0.0
    max_ttl: float = 86400.0  # 0: nothing is kept, whatever it says
    while_revalidate: float = 0.0
    if_error: float = 3600.0

    def fresh(self, told: CacheLifetime) -> float:
        """Seconds for which an answer is as good as a new one."""
        if not told.keep:
            return 0.0
        return min(self.ttl if told.lifetime is None else told.lifetime, self.max_ttl)

    def refreshing(self, told: CacheLifetime) -> float:
        """Seconds after that, for which it is served while the target is asked again."""
        return self._after(told, told.while_revalidate, self.while_revalidate)

    def standing_in(self, told: CacheLifetime) -> float:
        """Seconds after it was fresh, for which it stands in for a target that fails."""
        return self._after(told, told.if_error, self.if_error)

    def _after(self, told: CacheLifetime, said: float | None, else_: float) -> float:
        if not (told.keep and told.stale and self.max_ttl):
            return 0.0
        if said is None and told.lifetime is None and not self.ttl:
            return 0.0  # nothing was to be kept in the first place
        return min(else_ if said is None else said, self.max_ttl)


class TargetPolicy(Struct, frozen=True, kw_only=True):
    """Everything about one target but its name and URL."""

    call: CallPolicy = CallPolicy()
    keeping: CachePolicy = CachePolicy()
    required: bool = False
    breaker_failures: int = 5
    breaker_seconds: float = 5.0
