"""``project_info``: the name of the instance's project, from Keystone.

The user of ``[service_auth]`` must be allowed to read every project: the role ``reader`` on the
system is enough (``system_scope = all``), and the least Keystone's policy knows.
"""

from collections.abc import Mapping
from typing import Any, Self

from oslo_config import cfg

from firstlight.vendordata.cloud import Cloud
from firstlight.vendordata.contract import Clients, Context, Need, Provider, ProviderFailed
from firstlight.vendordata.providers.keeping import max_age


class ProjectInfo(Provider):
    """``{"project_id": …, "project_name": …}``; nothing for a project that does not exist."""

    options = (max_age(300, "Projects are seldom renamed."),)
    needs = frozenset({Need.PROJECT})

    def __init__(self, cloud: Cloud, max_age: int) -> None:
        self._cloud = cloud
        self.max_age = max_age

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts.GroupAttr, clients: Clients) -> Self:
        """See :class:`Provider`."""
        return cls(clients.cloud(cls.needs), conf.max_age)

    def provide(self, context: Context) -> Mapping[str, Any] | None:
        """See :class:`Provider`."""
        project = self._cloud.project(context)
        if project is None:
            return None
        try:
            return {"project_id": project["id"], "project_name": project["name"]}
        except KeyError as error:
            raise ProviderFailed(f"Keystone's project has no {error}.") from error

    def ready(self) -> None:
        """See :class:`Provider`."""
        self._cloud.ready()
