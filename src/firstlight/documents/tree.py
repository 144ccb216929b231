"""Which document stands at which path."""

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from firstlight.documents import versions
from firstlight.documents.additions import NOTHING_ADDED, Additions
from firstlight.documents.bare_metal import on_bare_metal
from firstlight.documents.document import HTML, JSON, PLAIN, Document, as_json, as_lines
from firstlight.documents.ec2 import SecurityGroupsNeeded, ec2_document, ec2_meta_data_json
from firstlight.documents.ec2 import meta_data as ec2_meta_data
from firstlight.documents.encoding import dumps
from firstlight.documents.meta_data import meta_data
from firstlight.documents.network_data import network_data
from firstlight.instance import Answer, Instance

STATIC, DYNAMIC = "StaticJSON", "DynamicJSON"

__all__ = ["AnswersNeeded", "Documents", "SecurityGroupsNeeded", "TreeSettings", "version_list"]

Answers = Mapping[str, Answer]

_NOTHING: dict[str, Any] = {}  # what StaticJSON says without a file


class AnswersNeeded(Exception):
    """The document shows what the dynamic targets say, and they have not been asked."""


class TreeSettings(Struct, frozen=True):
    """What the operator decides about every instance's documents."""

    dhcp_domain: str = "novalocal"
    vendordata_providers: tuple[str, ...] = (STATIC,)


def version_list() -> Document:
    """``GET /``: the versions of the EC2 tree, for anybody."""
    return as_lines([*versions.EC2, versions.LATEST])


class Documents:
    """Everything one instance is told.

    Args:
        instance: with its EC2 ids allotted.
        settings: the operator's.
        static: the value of StaticJSON, any JSON value; not changed here or later.
        today: ``YYYY-MM-DD``, UTC; versions of a later date are not listed.
        groups_elsewhere: the instance's security groups are not its own, but looked up by whoever
            asks for the document that shows them.
        added: what is shown beside what the source knows; on a config drive only.
    """

    __slots__ = (
        "_added",
        "_fqdn",
        "_groups_elsewhere",
        "_last_ec2_tree",
        "_static",
        "_today",
        "_user_data",
        "instance",
        "settings",
    )

    def __init__(
        self,
        instance: Instance,
        settings: TreeSettings,
        *,
        static: Any = _NOTHING,
        today: str,
        groups_elsewhere: bool = False,
        added: Additions = NOTHING_ADDED,
    ) -> None:
        self.instance = instance
        self.settings = settings
        self._static = static
        self._today = today
        self._groups_elsewhere = groups_elsewhere
        self._added = added
        self._last_ec2_tree: tuple[str, Mapping[str, Any]] = ("", {})
        self._user_data = (
            None if instance.user_data is None else base64.b64decode(instance.user_data)
        )
        domain = settings.dhcp_domain
        self._fqdn = f"{instance.hostname}.{domain}" if domain else instance.hostname

    def get(
        self,
        path: Sequence[str],
        answers: Answers | None = None,
        groups: Sequence[str] | None = None,
    ) -> Document | None:
        """The document at `path` (segments, see :func:`segments`); None if there is none.

        Raises:
            AnswersNeeded: the document shows dynamic vendor data and `answers` is None.
            SecurityGroupsNeeded: it shows security groups, which are elsewhere, and `groups` is
                None.
        """
        if path and path[0] == "openstack":
            return self._openstack(path[1:], answers)
        if path and path[0] == "ec2":
            path = path[1:]
        if not path:
            return version_list()
        if not self._groups_elsewhere:
            groups = self.instance.security_groups
        version = versions.resolve(path[0], versions.EC2)
        if version is None:
            return None
        return ec2_document(self._ec2_tree(version, groups), self._user_data, path[1:])

    def _ec2_tree(self, version: str, groups: Sequence[str] | None) -> Mapping[str, Any]:
        """What stands under ``meta-data``; the last one is kept, for guests go leaf by leaf."""
        looked_up = self._groups_elsewhere and groups is not None  # good for one answer
        known, tree = self._last_ec2_tree
        if known == version and not looked_up:
            return tree
        tree = ec2_meta_data(self.instance, version, self._fqdn, groups)
        if not looked_up:
            self._last_ec2_tree = version, tree
        return tree

    def ec2_meta_data(self, version: str, groups: Sequence[str] | None = None) -> Document:
        """All of an EC2 version's ``meta-data`` as one JSON object, which only config drives have.

        Its values are those of the tree, lists and numbers as such. Nobody asks a drive, so
        ``local-ipv4`` is ``null`` where it would be the requester's.

        Raises:
            SecurityGroupsNeeded: as :meth:`get`.
        """
        if not self._groups_elsewhere:
            groups = self.instance.security_groups
        return ec2_meta_data_json(self.instance, version, self._fqdn, groups)

    @property
    def contents(self) -> tuple[bytes, ...]:
        """What stands at ``/openstack/content/0000`` and on."""
        config = self.instance.network_config
        files = (file.content for file in self._added.files)
        return tuple(files) if config is None else (config.encode(), *files)

    def _openstack(self, path: Sequence[str], answers: Answers | None) -> Document | None:
        if not path:
            return as_lines([*versions.openstack_on(self._today), versions.LATEST])
        if path[0] == "content":
            return self._content(path[1:])
        version = versions.resolve(path[0], versions.OPENSTACK)
        if version is None or len(path) > 2:
            return None
        name = path[1] if len(path) == 2 else "version"
        if name == "vendor_data2.json":
            return self._vendor_data2(version, answers)
        render = _DOCUMENTS.get(name)
        return render(self, version) if render else None

    def _content(self, path: Sequence[str]) -> Document | None:
        numbered = {f"{number:04}": content for number, content in enumerate(self.contents)}
        content = numbered.get(path[0]) if len(path) == 1 else None
        return None if content is None else Document(PLAIN, content)

    def _listing(self, version: str) -> Document:
        names = ["meta_data.json"]
        if self._user_data is not None:
            names.append("user_data")
        names += [name for name, since in _LISTED_SINCE if version >= since]
        return as_lines(names)

    def _meta_data(self, version: str) -> Document:
        return meta_data(self.instance, version, self._fqdn, self._added)

    def _user_data_document(self, _version: str) -> Document | None:
        return None if self._user_data is None else Document(PLAIN, self._user_data)

    def _password(self, version: str) -> Document | None:
        if version < versions.GRIZZLY:
            return None
        return Document(HTML, self.instance.password.encode())

    def _network_data(self, _version: str) -> Document:
        # Listed from Liberty on, served in every version, and as text: so has Nova always done.
        value = network_data(self.instance.interfaces)
        if self._added.bare_metal is not None:
            value = on_bare_metal(value, self._added.bare_metal)
        return Document(PLAIN, dumps(value))

    def _vendor_data(self, version: str) -> Document | None:
        if version < versions.HAVANA or STATIC not in self.settings.vendordata_providers:
            return None
        return as_json(self._static)

    def _vendor_data2(self, version: str, answers: Answers | None) -> Document | None:
        if version < versions.NEWTON_TWO:
            return None
        shown: dict[str, Any] = {}
        for provider in self.settings.vendordata_providers:
            if provider == STATIC:
                shown["static"] = self._static
            elif answers is None:
                raise AnswersNeeded
            else:
                new = {name: answers[name].value for name in answers if name not in shown}
                shown |= new
        return Document(JSON, dumps(shown))


_DOCUMENTS: dict[str, Callable[[Documents, str], Document | None]] = {
    "version": Documents._listing,  # an accident of Nova's: /openstack/VERSION/version
    "meta_data.json": Documents._meta_data,
    "user_data": Documents._user_data_document,
    "password": Documents._password,
    "vendor_data.json": Documents._vendor_data,
    "network_data.json": Documents._network_data,
}

_LISTED_SINCE = (
    ("password", versions.GRIZZLY),
    ("vendor_data.json", versions.HAVANA),
    ("network_data.json", versions.LIBERTY),
    ("vendor_data2.json", versions.NEWTON_TWO),
)
