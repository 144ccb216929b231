"""Plug-ins as third parties wrote them for nova-pollinate, installed for these tests only."""

import datetime

from flask import current_app, g
from pollinate.providers import PollinateProvider


class Site(PollinateProvider):
    """Of the present: told the context by run."""

    name = "site"

    def run(self, context):
        return {
            "project": context["project-id"],
            "host": context.get("hostname"),
            "since": datetime.date(2026, 1, 2),
            "session": current_app.ks_session is not None,  # type: ignore[attr-defined]  # Pollinate sets it
            "cloud-config": {"packages": ["jq"], "bootcmd": ["true"], "timezone": "Etc/UTC"},
        }


class Motd(PollinateProvider):
    """Overlaps with the one before."""

    name = "motd"

    def run(self, context):
        g.seen = [*g.get("seen", []), self.name]
        return {"text": "hello", "cloud-config": {"timezone": "Europe/Berlin"}}


class Quiet(PollinateProvider):
    """Has nothing to say."""

    name = "quiet"

    def run(self, context):
        return None


class Broken(PollinateProvider):
    """Raises."""

    name = "broken_plugin"

    def run(self, context):
        raise KeyError(context["project-id"])


class Secret(PollinateProvider):
    """Reads Vault."""

    name = "secret"

    def run(self, context):
        secrets = current_app.secrets  # type: ignore[attr-defined]  # Pollinate sets it
        return {"value": secrets.get("SITE_KEY")}


class OldSite(PollinateProvider):
    """Of the past: made from the context, named when it is made."""

    def __init__(self, context):
        super().__init__(context)
        self.name = "old_site"

    def run(self):
        return {"project": self.context["project-id"]}


class OlderSite(PollinateProvider):
    """Of an older past: made from the context and a client of Keystone."""

    def __init__(self, context, keystone_client=None):
        super().__init__(context, keystone_client)
        self.name = "older_site"

    def run(self):
        project = self.keystone_client.projects.get(self.context["project-id"])
        return {"name": project.name}


class Server(PollinateProvider):
    """Looks the server up, as two of Pollinate's own did."""

    name = "server"

    def run(self, context):
        return {"host": getattr(self.get_instance(context), "OS-EXT-SRV-ATTR:host")}


class Another(Server):
    """Looks it up as well."""

    name = "another"


class NoName:
    """Nobody could tell under which key it answers."""

    def run(self, context):
        return {"a": 1}
