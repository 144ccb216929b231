"""What a provider is: what should this instance be told, and who may keep the answer?

A provider knows nothing of HTTP, threads or other providers. It answers a mapping; None or an empty
mapping when it has nothing to say about this instance; and raises when it could not find out.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from keystoneauth1.session import Session
from msgspec import Struct, field, structs
from oslo_config import cfg

from firstlight.vendordata.dispatch.request_cache import RequestCache

if TYPE_CHECKING:
    from firstlight.vendordata.openstack import Cloud


class ProviderFailed(Exception):
    """A provider could not find out; the message is a sentence that says what was attempted.

    It is logged and may be shown to the caller: no secret belongs in it.
    """


class Need(StrEnum):
    """What a provider looks up, in an operator's words."""

    PROJECT = "Keystone project"
    CREDENTIALS = "Keystone credentials"
    SERVER = "Nova server"
    PORTS = "Neutron ports"
    IMAGE = "Glance image"
    VOLUMES = "Cinder volumes"
    SECRETS = "Vault secrets"


class Context(Struct, frozen=True, kw_only=True):
    """The instance that asks: what Nova says of it to every vendordata target."""

    project_id: str
    instance_id: str
    image_id: str = ""  # empty: booted from a volume
    user_data: str | None = None  # base64, as stored
    hostname: str = ""  # short name, without the domain
    metadata: Mapping[str, str] = {}
    boot_roles: tuple[str, ...] = ()  # of the user who booted it, at that time
    body: bytes = (
        b""  # the JSON object that was sent, with keys that are not known; empty: none was
    )
    shared: RequestCache = field(
        default_factory=RequestCache
    )  # with the other providers of this request

    def __post_init__(self) -> None:
        # Providers run side by side on the same context, so none may write to it.
        structs.force_setattr(self, "metadata", MappingProxyType(dict(self.metadata)))


class Clients(Protocol):
    """What the service lends to its providers."""

    def session(self) -> Session:
        """An authenticated session with the credentials of ``[service_auth]``, shared by all.

        It is safe to use from several threads, keeps connections and its token, and has a timeout.

        Raises:
            ConfigError: ``[service_auth]`` names no usable credentials.
        """

    def cloud(self, needs: Iterable[Need]) -> "Cloud":
        """Look-ups of what `needs` names, each made once a request whoever asks.

        Raises:
            ConfigError: ``[service_auth]`` names no usable credentials.
        """

    def vault(self) -> "Secrets":
        """The secrets that ``[vault]`` leads to, shared by all.

        Raises:
            ConfigError: ``[vault]`` does not lead there.
        """


class Secrets(Protocol):
    """What operators keep for instances elsewhere, in Vault; by name."""

    def get(self, key: str) -> Any:
        """What is kept under `key`, mostly text; None: there is no such key.

        Raises:
            ProviderFailed: it could not be found out.
        """

    def everything(self) -> Mapping[str, Any]:
        """All of them; raises as :meth:`get`."""

    def ready(self) -> None:
        """Whether they can be read, found out now.

        Raises:
            ProviderFailed: they cannot.
        """


class Provider(ABC):
    """The base of a provider. The class is an entry point of the group ``firstlight.providers``."""

    #: Options of the section ``[provider:NAME]``, where NAME is that of the entry point.
    options: ClassVar[Sequence[cfg.Opt]] = ()

    #: What it looks up elsewhere.
    needs: ClassVar[frozenset[Need]] = frozenset()

    #: Seconds for which an answer may be kept; None: it is asked for each time. What a provider
    #: says of an empty answer holds for a full one as well.
    max_age: int | None = None

    #: True: an answer may be kept in the memory of the process that asked, nowhere else.
    confidential: bool = False

    @classmethod
    @abstractmethod
    def from_conf(cls, conf: cfg.ConfigOpts.GroupAttr, clients: Clients) -> Self:
        """Make one from the section ``[provider:NAME]``.

        Raises:
            ConfigError: the configuration cannot work; the service does not start.
        """

    @abstractmethod
    def provide(self, context: Context) -> Mapping[str, Any] | None:
        """What `context` should be told, as JSON would hold it; None or empty: nothing.

        A key ``cloud-config`` may hold an object in cloud-init's format; those of all providers are
        merged. May be called by several threads at once.

        Raises:
            ProviderFailed: it could not be found out.
        """

    def ready(self) -> None:
        """Whether what it depends on can be asked, found out now; it may take seconds.

        Raises:
            ProviderFailed: it cannot; the sentence says whose fault that is.
        """
        return None

    def asks(self) -> Sequence[str]:
        """Whom it asks, in an operator's words; told once :meth:`ready` has found no fault."""
        return sorted(self.needs)

    def close(self) -> None:
        """Let go of what is held; called once, at the end."""
        return None
