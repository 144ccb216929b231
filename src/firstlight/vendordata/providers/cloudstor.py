"""``cloudstor``: the storage credentials that Keystone keeps for the instance's project."""

import json
from collections.abc import Mapping
from typing import Any, Self

from oslo_config import cfg

from firstlight.vendordata.contract import Clients, Context, Need, ProviderFailed
from firstlight.vendordata.openstack import Cloud
from firstlight.vendordata.providers.backed import ByCloud, max_age


class Cloudstor(ByCloud):
    """The blob of the project's first credential of the type; nothing if there is none."""

    options = (
        cfg.StrOpt(
            "credential_type", default="cloudstor", help="The type of credential that is wanted."
        ),
        max_age(60, "So long a new credential may take to show."),
    )
    needs = frozenset({Need.CREDENTIALS})
    confidential = True

    def __init__(self, cloud: Cloud, *, credential_type: str, max_age: int) -> None:
        super().__init__(cloud, max_age=max_age)
        self._type = credential_type

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts.GroupAttr, clients: Clients) -> Self:
        """See :class:`Provider`."""
        return cls(
            clients.cloud(cls.needs), credential_type=conf.credential_type, max_age=conf.max_age
        )

    def provide(self, context: Context) -> Mapping[str, Any] | None:
        """See :class:`Provider`."""
        found = self._cloud.credentials(context, self._type)
        return _opened(found[0]) if found else None


def _opened(credential: Mapping[str, Any]) -> dict[str, Any]:
    """The blob; what it says instead of an object is nobody's business but the project's."""
    try:
        blob = json.loads(credential["blob"])
    except (KeyError, TypeError, ValueError):
        blob = None
    if not isinstance(blob, dict):
        # Not chained: the error would hold the blob.
        raise ProviderFailed(f"The credential {credential.get('id')} holds no JSON object.")
    return blob
