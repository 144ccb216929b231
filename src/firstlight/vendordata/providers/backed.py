"""What our providers have in common: whom they ask, how long answers are good, if it works."""

from oslo_config import cfg

from firstlight.vendordata.contract import Provider, Secrets
from firstlight.vendordata.openstack import Cloud


def max_age(seconds: int, reason: str) -> cfg.IntOpt:
    """The option ``max_age``, by default `seconds`; `reason` says why."""
    return cfg.IntOpt(
        "max_age",
        default=seconds,
        min=0,
        help=f"Seconds for which an answer may be kept. {reason}",
    )


class ByCloud(Provider):
    """One that asks OpenStack."""

    def __init__(self, cloud: Cloud, *, max_age: int) -> None:
        self._cloud = cloud
        self.max_age = max_age

    def ready(self) -> None:
        """See :class:`Provider`."""
        self._cloud.ready()


class ByCloudAndVault(ByCloud):
    """One that asks OpenStack which secret it is, and Vault for the secret."""

    confidential = True

    def __init__(self, cloud: Cloud, vault: Secrets, *, max_age: int) -> None:
        super().__init__(cloud, max_age=max_age)
        self._vault = vault

    def ready(self) -> None:
        """See :class:`Provider`."""
        super().ready()
        self._vault.ready()
