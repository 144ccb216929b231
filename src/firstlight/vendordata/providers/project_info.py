"""``project_info``: the name of the instance's project, from Keystone.

The user of ``[service_auth]`` must be allowed to read every project: the role ``reader`` on the
system is enough (``system_scope = all``), and the least Keystone's policy knows.
"""

from collections.abc import Mapping
from typing import Any, Self

from oslo_config import cfg

from firstlight.vendordata.contract import Clients, Context, Need, ProviderFailed
from firstlight.vendordata.providers.backed import ByCloud, max_age


class ProjectInfo(ByCloud):
    """``{"project_id": …, "project_name": …}``; nothing for a project that does not exist."""

    options = (max_age(300, "Projects are seldom renamed."),)
    needs = frozenset({Need.PROJECT})

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts.GroupAttr, clients: Clients) -> Self:
        """See :class:`Provider`."""
        return cls(clients.cloud(cls.needs), max_age=conf.max_age)

    def provide(self, context: Context) -> Mapping[str, Any] | None:
        """See :class:`Provider`."""
        project = self._cloud.project(context)
        if project is None:
            return None
        try:
            return {"project_id": project["id"], "project_name": project["name"]}
        except KeyError as error:
            raise ProviderFailed(f"Keystone's project has no {error}.") from error
