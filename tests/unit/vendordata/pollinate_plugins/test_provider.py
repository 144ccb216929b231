"""Plug-ins for nova-pollinate: how a class is called, found, named, and what it finds around it."""

import json
from typing import Any

import pytest
from flask import current_app, g

from firstlight.conf import ConfigError
from firstlight.vendordata.contract import Context, ProviderFailed
from firstlight.vendordata.http.request_body import read_context
from firstlight.vendordata.loading import provider_classes
from firstlight.vendordata.pollinate_plugins.calling import OddPlugin, PluginCall, name_of
from firstlight.vendordata.pollinate_plugins.finding import REPLACED
from firstlight.vendordata.pollinate_plugins.host import PluginSecrets
from firstlight.vendordata.pollinate_plugins.provider import provider_class, question_of
from firstlight.vendordata.testing import ProviderSuite, a_context

QUESTION = {"project-id": "p", "hostname": "h"}


class Now:
    name = "now"

    def run(self, context: dict[str, Any]) -> Any:
        return {"p": context["project-id"]}


class Then:
    def __init__(self, context: dict[str, Any]) -> None:
        self.name = "then"
        self.context = context

    def run(self) -> Any:
        return {"p": self.context["project-id"]}


class WithClient(Then):
    def __init__(self, context: dict[str, Any], keystone_client: Any = None) -> None:
        super().__init__(context)
        self.name = "with_client"
        self.client = keystone_client

    def run(self) -> Any:
        return {"p": self.context["project-id"], "client": self.client}


class Between:
    name = "between"

    def __init__(self, context: dict[str, Any]) -> None:
        self.context = context

    def run(self, context: dict[str, Any]) -> Any:
        return {"p": context["project-id"], "same": context == self.context}


class Static:
    name = "static"

    @staticmethod
    def run(context: dict[str, Any]) -> Any:
        return {"p": context["project-id"]}


class Greedy:
    name = "greedy"

    def __init__(self, context: Any, client: Any, more: Any) -> None: ...

    def run(self) -> Any: ...


class Choosy:
    def __init__(self, context: dict[str, Any]) -> None:
        self.name = context["no such key"]

    def run(self) -> Any: ...


@pytest.mark.parametrize(
    ("kind", "name", "answer"),
    [
        (Now, "now", {"p": "p"}),
        (Then, "then", {"p": "p"}),
        (WithClient, "with_client", {"p": "p", "client": "a client"}),
        (Between, "between", {"p": "p", "same": True}),
        (Static, "static", {"p": "p"}),
    ],
)
def test_every_contract_that_was(kind: type, name: str, answer: dict[str, Any]) -> None:
    """Each is called as it was written to be, and has the name that it had."""
    call = PluginCall(kind)
    assert call(QUESTION, lambda: "a client") == answer
    assert name_of(kind, call, QUESTION) == name


def test_a_question_is_the_plugins_own() -> None:
    """What one does to it does not reach the next."""

    class Rude(Now):
        def run(self, context: dict[str, Any]) -> Any:
            context.clear()
            return {"a": 1}

    question = dict(QUESTION)
    PluginCall(Rude)(question, lambda: None)
    assert question == QUESTION


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (int, "no method run"),
        (Greedy, "wants more than"),
        (Choosy, "give the class an attribute"),
        ("text", "no class"),
    ],
)
def test_what_is_no_plugin(kind: Any, said: str) -> None:
    """It is refused, with what it lacks."""
    with pytest.raises(OddPlugin, match=said):
        provider_class(kind)


def test_pollinates_own_classes_are_replaced() -> None:
    """The dotted paths of its README stand for providers of ours."""
    assert list(provider_classes(list(REPLACED))) == list(REPLACED.values())
    with pytest.raises(ConfigError, match="project_info twice"):
        provider_classes(["project_info", "pollinate.providers.keystone.KeystoneProvider"])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no_such.Plugin", "No module named 'no_such'"),
        ("os.path.Plugin", "os.path has no Plugin"),
        ("os.path.sep", "it is no class"),
        ("argparse.Namespace", "it has no method run"),
        ("subprocess.Popen", "it has no method run"),
        ("sitte", "nothing installed is named sitte"),
    ],
)
def test_a_name_that_leads_nowhere(name: str, said: str) -> None:
    """It stops the start, and the message says which and why."""
    with pytest.raises(ConfigError) as caught:
        provider_classes([name])
    assert name in str(caught.value)
    assert said in str(caught.value)


class Clients:
    """What the service lends; nobody is asked anything here."""

    def session(self) -> Any:
        return "the session"

    def vault(self) -> Any:
        return Kept()


class Kept:
    def get(self, key: str) -> Any:
        if key == "AWAY":
            raise ProviderFailed("Asking Vault failed.")
        return self.everything().get(key)

    def everything(self) -> dict[str, str]:
        return {"SITE": "s3cret"}


def make(kind: type) -> Any:
    _, made = provider_class(kind)
    return made.from_conf(None, Clients())


def test_what_it_finds_around_it() -> None:
    """current_app with session and secrets; one g for all plug-ins of a request."""

    class Looks(Now):
        def run(self, context: dict[str, Any]) -> Any:
            g.seen = g.get("seen", 0) + 1
            return {
                "session": current_app.ks_session,  # type: ignore[attr-defined]
                "secret": current_app.secrets.get("SITE"),  # type: ignore[attr-defined]
                "seen": g.seen,
            }

    first, second, context = make(Looks), make(Looks), a_context()
    said = {"session": "the session", "secret": "s3cret", "seen": 1}
    assert first.provide(context) == said
    assert second.provide(context) == said | {"seen": 2}
    assert first.provide(a_context()) == said


def test_secrets() -> None:
    """A missing one is a KeyError, as it was; Vault away is not."""
    secrets = PluginSecrets(Kept)
    assert secrets.get("SITE") == "s3cret"
    assert secrets.get_secrets() == {"SITE": "s3cret"}
    with pytest.raises(KeyError):
        secrets.get("NONE")
    with pytest.raises(ProviderFailed):
        secrets.get("AWAY")


def test_an_answer_that_is_no_mapping() -> None:
    """It fails in words."""

    class Lists(Now):
        def run(self, context: dict[str, Any]) -> Any:
            return ["a"]

    with pytest.raises(ProviderFailed, match="a list, not a mapping"):
        make(Lists).provide(a_context())


class TestPlugin(ProviderSuite):
    """A plug-in keeps the contract of our providers as well."""

    @pytest.fixture
    def provider(self) -> Any:
        return make(Then)

    @pytest.fixture
    def known(self) -> Context:
        return a_context()

    @pytest.fixture
    def stranger(self) -> None:
        """It says the same to everybody."""


def test_a_plugin_is_handed_what_was_sent() -> None:
    """All seven keys of Nova's, null as None and empty as empty; unknown keys; a copy for each."""
    sent = {
        "project-id": "p",
        "instance-id": "i",
        "image-id": "",
        "user-data": None,
        "hostname": "",
        "metadata": {"role": "web"},
        "boot-roles": "member, reader",
        "x-site": [1, {"a": None}],
    }
    context = read_context(json.dumps(sent).encode())
    first = question_of(context)
    assert first == sent
    first["metadata"].clear()
    first["x-site"].clear()
    assert question_of(context) == sent
    assert question_of(read_context(b'{"project-id": "p"}', ["project-id"])) == {"project-id": "p"}


def test_a_plugin_that_is_tried_has_all_keys() -> None:
    """Where nobody sent anything, as with `firstlight provider run`."""
    question = question_of(Context(project_id="p", instance_id="i"))
    assert question["user-data"] is None
    assert set(question) == {
        *("project-id", "instance-id", "image-id", "user-data", "hostname", "metadata"),
        "boot-roles",
    }
