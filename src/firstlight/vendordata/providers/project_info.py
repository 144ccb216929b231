"""``project_info``: the name of the instance's project, from Keystone.

The user of ``[service_auth]`` must be allowed to read every project: the role ``reader`` on the
system is enough (``system_scope = all``), and the least Keystone's policy knows.
"""

import re
from collections.abc import Mapping
from typing import Any, Self

from keystoneauth1.adapter import Adapter
from keystoneauth1.exceptions import ClientException, Forbidden, NotFound
from oslo_config import cfg

from firstlight.vendordata.contract import Clients, Context, Provider, ProviderFailed

# What Keystone makes of ids; anything else would only find its way into the URL.
_PROJECT_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")


class ProjectInfo(Provider):
    """``{"project_id": …, "project_name": …}``; nothing for a project that does not exist."""

    options = (
        cfg.StrOpt(
            "interface",
            default="public",
            choices=["public", "internal", "admin"],
            help="Which of Keystone's endpoints is asked.",
        ),
        cfg.StrOpt("region_name", help="The region of that endpoint; unset: any."),
        cfg.IntOpt(
            "max_age",
            default=300,
            min=0,
            help="Seconds for which an answer may be kept: projects are seldom renamed.",
        ),
    )

    def __init__(self, keystone: Adapter, max_age: int) -> None:
        self._keystone = keystone
        self.max_age = max_age

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts.GroupAttr, clients: Clients) -> Self:
        """See :class:`Provider`."""
        keystone = Adapter(
            clients.session(),
            service_type="identity",
            interface=conf.interface,
            region_name=conf.region_name,
            min_version="3",
            max_version="3.latest",
        )
        return cls(keystone, conf.max_age)

    def provide(self, context: Context) -> Mapping[str, Any] | None:
        """See :class:`Provider`."""
        if not _PROJECT_ID.fullmatch(context.project_id):
            return None
        try:
            answer = self._keystone.get(f"/projects/{context.project_id}")
            project = answer.json()["project"]
            return {"project_id": project["id"], "project_name": project["name"]}
        except NotFound:
            return None
        except Forbidden as error:
            raise ProviderFailed(
                "Keystone does not let the user of [service_auth] read projects; "
                "the role reader on the system is enough."
            ) from error
        except (ClientException, ValueError, KeyError, TypeError) as error:
            raise ProviderFailed(f"Asking Keystone for the project failed: {error}.") from error
