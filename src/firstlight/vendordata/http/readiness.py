"""Whether the service can do its work: Keystone says whose tokens are good, providers find out.

Unready is a service that can answer no caller it has not seen before: Keystone is away, or every
provider is. With some of its providers away it is ready, and degraded.
"""

from collections.abc import Callable, Mapping, Sequence

from firstlight.health import Dependency, Watch, troubles
from firstlight.vendordata.contract import Provider, ProviderFailed
from firstlight.vendordata.dispatch.call_provider import log_mistake

# Seconds after which a provider that was ready is asked again: nobody tells when a backend goes.
_AGAIN = 60.0


class Readiness:
    """What ``/readyz`` asks, kept up to date by a thread between :meth:`start` and :meth:`close`.

    Args:
        keystone: who checks callers' tokens; None: nobody does.
        providers: the enabled ones, by name.
    """

    def __init__(self, keystone: Dependency | None, providers: Mapping[str, Provider]) -> None:
        self._keystone = () if keystone is None else (keystone,)
        self._providers = [dependency(name, provider) for name, provider in providers.items()]
        self._watch = Watch(self.dependencies, again=_AGAIN)

    def start(self) -> None:
        """Ask everybody once, and then those that were not ready."""
        self._watch.start()

    def close(self) -> None:
        """Ask no more."""
        self._watch.close()

    def dependencies(self) -> Sequence[Dependency]:
        """Keystone and the providers."""
        return (*self._keystone, *self._providers)

    @property
    def checks(self) -> Mapping[str, Callable[[], str | None]]:
        """By name, what makes the service unready."""
        asked = {one.name: one.trouble for one in self._keystone}
        return {**asked, "providers": self._no_provider}

    def concerns(self) -> Mapping[str, str | None]:
        """By name, what leaves it ready and degraded."""
        none = None if self._providers else "none is enabled: every answer is empty"
        return {"providers": none, **troubles(self._providers)}

    def _no_provider(self) -> str | None:
        found = [one.trouble() for one in self._providers]
        return "none of them can answer; see each" if found and all(found) else None


def dependency(name: str, provider: Provider) -> Dependency:
    """What a provider depends on, by its own :meth:`~Provider.ready`."""
    trouble: str | None = None

    def probe() -> None:
        nonlocal trouble
        trouble = _why_not(name, provider)

    return Dependency(f"provider {name}", lambda: trouble, probe)


def _why_not(name: str, provider: Provider) -> str | None:
    try:
        provider.ready()
    except ProviderFailed as failure:
        return str(failure)
    except Exception as error:  # noqa: BLE001  (a provider may be anybody's: its boundary)
        log_mistake(name, provider, error)
        return f"It raised {type(error).__name__}; the log has more."
    return None
