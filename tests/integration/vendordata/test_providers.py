"""Every provider's answers, row by row, with stand-ins for what it asks.

tests/lab/providers asks the real services the same.
"""

import json
from typing import Any

import pytest

from firstlight.vendordata.contract import ProviderFailed
from support.cloud.stand_ins import SRIOV, CloudStandIn, VaultStandIn
from support.providers.made_providers import (
    IMAGE,
    INSTANCE,
    PROJECT,
    TRAIT,
    VALUES,
    VOLUME,
    Made,
    port,
    said,
)

SENSOR = {
    "cid": "CID-1",
    "installer_url": "https://x/deb",
    "enabled": True,
    "fail_if_missing": False,
    "provisioning_token": "prov-1",
    "tags": "tag1,tag2",
    "installer_url_deb": "https://x/deb",
    "installer_url_rpm": "https://x/rpm",
}


class TestMlnxSriov:
    """pcss-vendor-metadata's one answer, and more of it."""

    def test_the_first_port_with_sriov(self, made: Made) -> None:
        """Exactly pcss's keys; a port without SR-IOV that was made earlier does not hide it."""
        assert said(made("mlnx_sriov")) == SRIOV

    def test_all_ports(self, made: Made) -> None:
        """Beside the compatible shape, each with its id and MAC, in order of creation."""
        answer = said(made("mlnx_sriov", "all_ports = true"))
        second = SRIOV | {"dynamic_pkey": "0x8003"}
        assert answer == SRIOV | {
            "ports": [
                {"port_id": "port-2", "mac": "fa:16:3e:00:00:02", **SRIOV},
                {"port_id": "port-3", "mac": "fa:16:3e:00:00:03", **second},
            ]
        }

    @pytest.mark.parametrize("details", [{}, None, {"enable_sriov": False}, {"ovs": "x"}])
    def test_other_ports_are_nothing(self, made: Made, cloud: CloudStandIn, details: Any) -> None:
        """A port that some other driver bound, or none yet."""
        cloud.ports = [port(1, details)]
        assert said(made("mlnx_sriov")) is None

    def test_no_port_is_nothing(self, made: Made, cloud: CloudStandIn) -> None:
        """pcss-vendor-metadata answered 500."""
        cloud.ports = []
        assert said(made("mlnx_sriov")) is None

    def test_other_keys_are_left_out(self, made: Made, cloud: CloudStandIn) -> None:
        """What else the driver leaves is nobody's business."""
        cloud.ports = [port(1, SRIOV | {"bridge_name": "br-int"})]
        assert said(made("mlnx_sriov")) == SRIOV

    def test_a_user_who_is_not_shown_bindings(self, made: Made, cloud: CloudStandIn) -> None:
        """Neutron leaves the attribute out: that is a failure with a remedy, not nothing."""
        cloud.ports = [{"id": "p", "device_id": INSTANCE}]
        with pytest.raises(ProviderFailed, match="role service or admin"):
            said(made("mlnx_sriov"))

    def test_credentials_of_its_own(self, made: Made, cloud: CloudStandIn) -> None:
        """``[neutron]`` of a pcss-vendor-metadata.ini, with that section's endpoint."""
        own = f"[neutron]\nauth_type = none\nendpoint_override = {cloud.url}\n"
        provider = made("mlnx_sriov", more=own + "[service_auth]\nauth_type = none\n")
        assert said(provider) == SRIOV


class TestNvidiaVgpu:
    """A licence token for the project's zones."""

    @pytest.mark.parametrize(
        ("zones", "token"),
        [
            (None, "ardc-token"),
            ("", "ardc-token"),
            ("qld, tasmania", "ardc-token"),
            ("qld,monash-02", "monash-token"),
            ("monash-01", "monash-token"),
        ],
    )
    def test_zones(self, made: Made, cloud: CloudStandIn, zones: str | None, token: str) -> None:
        """A zone that starts with ``monash`` decides; without one it is ARDC's."""
        cloud.projects[PROJECT]["compute_zones"] = zones
        assert said(made("nvidia_vgpu")) == {"license_token": token}

    def test_a_list_of_ones_own(self, made: Made, cloud: CloudStandIn, vault: VaultStandIn) -> None:
        """Other prefixes, another property, and no default."""
        vault.keys = {"NORTH": "n", "SOUTH": "s"}
        options = "zones_property = sites\nlicenses = n:NORTH, s:SOUTH\ndefault_license ="
        cloud.projects[PROJECT]["sites"] = "s-1,n-1"
        provider = made("nvidia_vgpu", options)
        assert said(provider) == {"license_token": "n"}
        cloud.projects["p2"] = {"id": "p2", "name": "two", "sites": "west"}
        assert said(provider, project_id="p2") is None

    def test_no_key_is_nothing(self, made: Made, vault: VaultStandIn) -> None:
        """Vault was asked and has none."""
        vault.keys = {}
        assert said(made("nvidia_vgpu")) is None


class TestWindowsProductKey:
    """A licence key for images that are Windows."""

    def test_an_image_with_the_trait(self, made: Made) -> None:
        """The key of the server's host, in upper case."""
        assert said(made("windows_product_key")) == {"product_key": "AAAAA-BBBBB"}

    def test_booted_from_a_volume(self, made: Made) -> None:
        """The bootable volume's copy of the image's properties counts."""
        assert said(made("windows_product_key"), image_id="") == {"product_key": "AAAAA-BBBBB"}

    def test_a_volume_that_is_not_bootable(self, made: Made, cloud: CloudStandIn) -> None:
        """Cinder writes ``false`` as text, which is not true."""
        cloud.volumes[VOLUME]["bootable"] = "false"
        assert said(made("windows_product_key"), image_id="") is None

    def test_without_the_trait(self, made: Made, cloud: CloudStandIn) -> None:
        """Neither image nor volume."""
        del cloud.images[IMAGE][TRAIT]
        del cloud.volumes[VOLUME]["volume_image_metadata"]
        provider = made("windows_product_key")
        assert said(provider) is None
        assert said(provider, image_id="") is None

    def test_no_such_image(self, made: Made, cloud: CloudStandIn) -> None:
        """It was deleted since: nothing."""
        cloud.images.clear()
        assert said(made("windows_product_key")) is None

    def test_no_key_for_the_host(self, made: Made, vault: VaultStandIn) -> None:
        """Nothing."""
        vault.keys = {}
        assert said(made("windows_product_key")) is None

    def test_a_host_that_nova_hides(self, made: Made, cloud: CloudStandIn) -> None:
        """A user without the role is a failure with a remedy, not nothing."""
        del cloud.servers[INSTANCE]["OS-EXT-SRV-ATTR:host"]
        with pytest.raises(ProviderFailed, match="role admin"):
            said(made("windows_product_key"))

    def test_another_trait_and_key(
        self, made: Made, cloud: CloudStandIn, vault: VaultStandIn
    ) -> None:
        """Both are the operator's to name."""
        cloud.images[IMAGE] = {"id": IMAGE, "os_windows": "1"}
        vault.keys = {"WIN/QH2-RCC12": "k"}
        provider = made("windows_product_key", "trait = os_windows\nkey = WIN/{host}")
        assert said(provider) == {"product_key": "k"}


class TestCrowdstrike:
    """What the Falcon sensor's installation needs."""

    SITE = "CROWDSTRIKE_MELBOURNE-QH2_"

    def test_everything(self, made: Made) -> None:
        """All keys of a site that has all of them."""
        assert said(made("crowdstrike")) == SENSOR

    def test_the_least(self, made: Made, vault: VaultStandIn) -> None:
        """A CID and one installer; the generic URL is the RPM's where there is no other."""
        vault.keys = {f"{self.SITE}CID": "c", f"{self.SITE}INSTALLER_URL_RPM": "https://x/rpm"}
        assert said(made("crowdstrike")) == {
            "cid": "c",
            "installer_url": "https://x/rpm",
            "enabled": True,
            "fail_if_missing": False,
            "installer_url_rpm": "https://x/rpm",
        }

    @pytest.mark.parametrize("true", ["1", "true", "YES", " On "])
    def test_spellings_of_true(self, made: Made, vault: VaultStandIn, true: str) -> None:
        """Any case; everything else is false."""
        assert vault.keys is not None
        vault.keys |= {f"{self.SITE}ENABLED": true, f"{self.SITE}FAIL_IF_MISSING": true}
        assert said(made("crowdstrike")) == SENSOR | {"fail_if_missing": True}

    @pytest.mark.parametrize(
        "change",
        [
            {f"{SITE}CID": None},
            {f"{SITE}CID": ""},
            {f"{SITE}ENABLED": "false"},
            {f"{SITE}ENABLED": "enabled"},
            {f"{SITE}ENABLED": False},
            {f"{SITE}INSTALLER_URL_DEB": None, f"{SITE}INSTALLER_URL_RPM": None},
        ],
    )
    def test_nothing(self, made: Made, vault: VaultStandIn, change: dict[str, Any]) -> None:
        """No CID, disabled, or no installer."""
        vault.keys = {k: v for k, v in (VALUES | change).items() if v is not None}
        assert said(made("crowdstrike")) is None

    @pytest.mark.parametrize("zone", [None, "", "tasmania"])
    def test_zones_without_a_sensor(
        self, made: Made, cloud: CloudStandIn, zone: str | None
    ) -> None:
        """No zone, or one that has not opted in."""
        cloud.servers[INSTANCE]["OS-EXT-AZ:availability_zone"] = zone
        assert said(made("crowdstrike")) is None


class TestCloudstor:
    """Storage credentials kept in Keystone."""

    def test_the_first_of_the_project(self, made: Made) -> None:
        """Another project's are not even near."""
        assert said(made("cloudstor")) == {"user": "me"}

    @pytest.mark.parametrize("blob", ["not json SECRET", '"SECRET"', None])
    def test_a_blob_that_is_no_object(
        self, made: Made, cloud: CloudStandIn, blob: str | None
    ) -> None:
        """It fails by the credential's id, and says nothing of what is in it."""
        cloud.credentials = [{"id": "c1", "type": "cloudstor", "project_id": PROJECT, "blob": blob}]
        with pytest.raises(ProviderFailed, match="credential c1") as caught:
            said(made("cloudstor"))
        assert "SECRET" not in str(caught.value)
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None


class TestProjectInfo:
    """The project's name."""

    def test_a_project(self, made: Made) -> None:
        """Id and name."""
        assert said(made("project_info")) == {"project_id": PROJECT, "project_name": "demo"}

    def test_it_is_kept_for_a_minute(self, made: Made, cloud: CloudStandIn) -> None:
        """Several requests, one question to Keystone."""
        provider = made("project_info")
        for _ in range(3):
            said(provider)
        assert cloud.asked[f"/v3/projects/{PROJECT}"] == 1


def test_answers_with_odd_forms_fail(made: Made, cloud: CloudStandIn) -> None:
    """JSON that is not what the API says is a failure in words."""
    cloud.projects[PROJECT] = json.loads('"a name"')
    with pytest.raises(ProviderFailed, match="unknown form"):
        said(made("project_info"))
