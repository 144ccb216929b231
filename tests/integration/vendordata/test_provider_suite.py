"""Every provider of ours keeps the contract, and asks for what it says it needs, once."""

import time
from contextlib import closing

import pytest

from firstlight.instance.answer import State
from firstlight.vendordata.clients import ConfiguredClients
from firstlight.vendordata.contract import Context, Need, Provider, ProviderFailed
from firstlight.vendordata.dispatch.dispatcher import Dispatcher
from firstlight.vendordata.loading import load_providers, provider_classes
from firstlight.vendordata.testing import ProviderSuite, a_context
from support.cloud.stand_ins import CloudStandIn, VaultStandIn, cloud_section, vault_section
from support.providers.made_providers import IMAGE, INSTANCE, KNOWN, PROJECT, Made, loaded

# What each path that is asked for is needed for.
PATHS = {
    "/v3/projects": Need.PROJECT,
    "/v3/credentials": Need.CREDENTIALS,
    "/servers": Need.SERVER,
    "/v2.0/ports": Need.PORTS,
    "/v2/images": Need.IMAGE,
    "/volumes": Need.VOLUMES,
}

EVERY = (
    "cloudstor",
    "crowdstrike",
    "mlnx_sriov",
    "nvidia_vgpu",
    "project_info",
    "windows_product_key",
)


@pytest.mark.parametrize("name", EVERY)
class TestSuite(ProviderSuite):
    """Each keeps the contract."""

    @pytest.fixture
    def provider(self, made: Made, name: str) -> Provider:
        return made(name)

    @pytest.fixture
    def known(self) -> Context:
        return KNOWN

    @pytest.fixture
    def failing(self, made: Made, name: str) -> Provider:
        return made(name, url="http://127.0.0.1:9")

    def test_it_is_ready(self, provider: Provider) -> None:
        """While everything answers."""
        provider.ready()

    def test_it_is_not_ready(self, failing: Provider) -> None:
        """While what it needs is away, in a sentence."""
        with pytest.raises(ProviderFailed, match="failed"):
            failing.ready()

    @pytest.mark.parametrize(("status", "sentence"), [(403, "does not let"), (500, "failed")])
    def test_refused(
        self, provider: Provider, cloud: CloudStandIn, status: int, sentence: str
    ) -> None:
        """A service that forbids it, or breaks, is a failure and not nothing."""
        cloud.status = status
        with pytest.raises(ProviderFailed, match=sentence):
            provider.provide(a_context())

    def test_it_asks_for_what_it_needs(
        self, provider: Provider, cloud: CloudStandIn, vault: VaultStandIn
    ) -> None:
        """And for all of it, whatever kind of instance it is asked about; for nothing else."""
        provider.provide(a_context())
        provider.provide(a_context(image_id=""))
        needs = {need for path in cloud.asked for begin, need in PATHS.items() if begin in path}
        secrets = {Need.SECRETS} if vault.asked else set()
        assert needs | secrets == type(provider).needs


def test_one_look_up_for_all(cloud: CloudStandIn, vault: VaultStandIn) -> None:
    """Six providers side by side: each thing is asked for once a request, whoever needs it."""
    text = f"[DEFAULT]\nproviders = {','.join(EVERY)}\n{cloud_section(cloud.url)}"
    configured = loaded(text + vault_section(vault))
    clients = ConfiguredClients(configured)
    providers = load_providers(configured, clients)
    with (
        closing(clients),
        closing(Dispatcher(providers, threads=2, counted=lambda outcome: None)) as panel,
    ):
        for request in (1, 2):
            until = time.monotonic() + 30
            outcomes = panel.ask(KNOWN, panel.names, until=until, request="req")
            assert {one.state for one in outcomes} == {State.OK}
            assert cloud.asked[f"/servers/{INSTANCE}"] == request
    assert vault.asked["secret/data/pollinate"] == 1
    # Projects and images are remembered for longer.
    assert cloud.asked[f"/v3/projects/{PROJECT}"] == 1
    assert cloud.asked[f"/v2/images/{IMAGE}"] == 1


def test_they_are_all_that_there_are() -> None:
    """Whoever adds one adds it here."""
    classes = provider_classes([*EVERY, "static_map"])
    assert {name for name, kind in classes.items() if kind.needs} == set(EVERY)
