"""The options of ``[dpm]``, as nova_dpm.conf and networking-dpm's files have them, and ours beside.

Importing this registers nothing; each service registers its own on the ConfigOpts it has.
"""

import re
from collections.abc import Callable
from ipaddress import ip_address
from typing import NamedTuple

from oslo_config import cfg, types

_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


class StoragePort(NamedTuple):
    """One port of an FCP adapter: the adapter's object id, and ``0`` to ``3``."""

    adapter: str
    port: str

    def __str__(self) -> str:
        return f"{self.adapter}:{self.port}"


class NetworkPort(NamedTuple):
    """One port of a network adapter, and the physical network behind it."""

    physnet: str
    adapter: str
    port: str

    def __str__(self) -> str:
        return f"{self.physnet}:{self.adapter}:{self.port}"


class ObjectId(types.String):
    """A DPM object id: a UUID, in lower case whatever the case it was written in."""

    def __init__(self) -> None:
        super().__init__(regex=re.compile(rf"{_ID}\Z", re.IGNORECASE), type_name="DPM object id")

    def __call__(self, value: object) -> str:
        try:
            return str(super().__call__(value)).lower()
        except ValueError:
            raise ValueError(
                f"{value!r} is not a DPM object id, such as "
                "3f1c4a0e-7c2d-11e6-8b77-0242ac130004 (the HMC shows it as the object's UUID)"
            ) from None


class HmcAddress(types.String):
    """A host name or an IP address, of version 6 with brackets however it was written."""

    def __init__(self) -> None:
        super().__init__(type_name="HMC address")

    def __call__(self, value: object) -> str:
        text = str(super().__call__(value))
        if _is_ipv6(address := text.removeprefix("[").removesuffix("]")):
            return f"[{address}]"  # as in the URL that it becomes part of
        if re.fullmatch(r"[\w.-]+", text):
            return text
        raise ValueError(
            f"{value!r} is not a host name or an IP address; it takes neither https:// nor a port, "
            "for which there is hmc_port"
        )


def _is_ipv6(text: str) -> bool:
    try:
        return ip_address(text).version == 6
    except ValueError:
        return False


class Wwpn(types.String):
    """A world-wide port name, in lower case without ``0x`` and colons however it was written."""

    def __init__(self) -> None:
        super().__init__(type_name="WWPN")

    def __call__(self, value: object) -> str:
        digits = str(super().__call__(value)).lower().removeprefix("0x").replace(":", "")
        if not re.fullmatch("[0-9a-f]{16}", digits):
            raise ValueError(f"{value!r} is not a WWPN of 16 hexadecimal digits")
        return digits


class _Mapping(types.ConfigType):
    """A line of fields with ``:`` between them."""

    form: re.Pattern[str]
    example: str
    fields: Callable[..., tuple[str, ...]]  # what the line's fields say

    def __call__(self, value: object) -> tuple[str, ...]:
        found = self.form.fullmatch(str(value))
        if not found:
            raise ValueError(f"{value!r} is not of the form {self.example}")
        return self.fields(*found.groups())

    def __repr__(self) -> str:
        return self.example

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    def _formatter(self, value: object) -> str:
        return str(value)


class StorageAdapterMapping(_Mapping):
    """``<adapter object id>:<port 0 to 3>``; gives a StoragePort."""

    form = re.compile(rf"({_ID}):([0-3])", re.IGNORECASE)
    example = "<storage adapter object id>:<port, 0 to 3>"

    def __init__(self) -> None:
        super().__init__(type_name="storage port")

    def fields(self, *found: str) -> StoragePort:
        """The adapter's id in lower case, and its port."""
        return StoragePort(found[0].lower(), found[1])


class NetworkAdapterMapping(_Mapping):
    """``<physical network>:<adapter object id>[:<port 0 or 1>]``; gives a NetworkPort."""

    form = re.compile(rf"([^:]+):({_ID})(?::([01]?))?", re.IGNORECASE)
    example = "<physical network>:<network adapter object id>[:<port, 0 or 1>]"

    def __init__(self) -> None:
        super().__init__(type_name="network port")

    def fields(self, *found: str) -> NetworkPort:
        """The network as written, the adapter's id in lower case, and its port, or 0."""
        return NetworkPort(found[0], found[1].lower(), found[2] or "0")


COMMON = [
    cfg.ListOpt(
        "hmc",
        item_type=HmcAddress(),
        default=[],
        sample_default=["hmc.example.com"],
        help="Host name or address of the HMC that manages this host's machine. With several, "
        "separated by commas, the first that answers is used.",
    ),
    cfg.PortOpt("hmc_port", default=6794, help="Port of the HMC's Web Services API."),
    cfg.StrOpt("hmc_username", sample_default="openstack", help="User on the HMC."),
    cfg.StrOpt("hmc_password", secret=True, sample_default="SECRET", help="The user's password."),
    cfg.BoolOpt(
        "hmc_verify",
        default=True,
        help="Whether the HMC's certificate must be one that hmc_ca_file, or else this node, "
        "trusts. Without this, whoever is between this node and the HMC can read the password.",
    ),
    cfg.StrOpt(
        "hmc_ca_file",
        sample_default="/etc/firstlight-dpm/hmc-ca.pem",
        help="PEM file, or directory, of the authorities that may have signed the HMC's "
        "certificate; a self-signed certificate is its own. Unset: those that Python's requests "
        "trusts.",
    ),
    cfg.IntOpt(
        "hmc_read_timeout",
        default=300,
        min=1,
        help="Seconds to wait for the HMC's answer to one request.",
    ),
    cfg.IntOpt(
        "hmc_operation_timeout",
        default=600,
        min=1,
        help="Seconds that a job on the HMC, such as starting a partition, may take.",
    ),
    cfg.IntOpt(
        "hmc_status_timeout",
        default=300,
        min=1,
        help="Seconds, after such a job, until the partition has the status that it should have.",
    ),
    cfg.Opt(
        "cpc_object_id",
        type=ObjectId(),
        sample_default="3f1c4a0e-7c2d-11e6-8b77-0242ac130004",
        help="Object id of the machine (CPC); the HMC's API shows it as object-id.",
    ),
]

COMPUTE = [
    cfg.IntOpt(
        "max_processors",
        sample_default=8,
        min=1,
        help="Shared physical IFL processors that a partition of this host may use; at most as "
        "many as the machine has.",
    ),
    cfg.IntOpt(
        "max_memory",
        min=512,
        sample_default=65536,
        help="Memory in MiB for all partitions of this host together; at most what the machine "
        "has for customers.",
    ),
    cfg.MultiOpt(
        "physical_storage_adapter_mappings",
        item_type=StorageAdapterMapping(),
        sample_default="6511af2e-7c2d-11e6-8b77-0242ac130004:0",
        help="One line for each FCP port that partitions of this host reach their volumes "
        "through. The order matters: the first line is the boot adapter.",
    ),
    cfg.ListOpt(
        "target_wwpn_ignore_list",
        item_type=Wwpn(),
        default=[],
        sample_default=["500507680b214ac1"],
        help="Target WWPNs that are never booted from, such as those of a storage system's file "
        "services. Case, colons and a leading 0x make no difference.",
    ),
    cfg.IntOpt(
        "max_instances",
        default=-1,
        min=-1,
        help="Only -1, which is no limit, is taken: nova-dpm knew this option, and limited "
        "nothing. The scheduler does: [filter_scheduler] max_instances_per_host, with "
        "NumInstancesFilter in enabled_filters.",
    ),
    cfg.BoolOpt(
        "guests_learn_nics",
        default=False,
        help="Whether guests on a z13 learn of NICs that the kernel command line has no room for, "
        "which are those beyond the twelfth: their image has firstlight-guest, and they are told "
        "by the vendordata provider dpm_nics or by a config drive. Without it, a server with more "
        "ports is refused, because it would not reach some of them.",
    ),
    cfg.StrOpt(
        "config_drive_writer",
        choices=[
            (
                "volume",
                "on a volume of its own: Nova's node uploads the drive to Glance as an image, "
                "Cinder makes a volume of it, which the server reaches as it does its others. "
                "Both belong to the project of [cinder]'s user, and go with the server.",
            )
        ],
        help="How config drives are written. Unset: a server that must have one is refused.",
    ),
    cfg.StrOpt(
        "config_drive_volume_type",
        sample_default="fibre-channel",
        help="Cinder's type for the volumes of config drives, which must be reached by Fibre "
        "Channel. Unset: Cinder's default type.",
    ),
]

NETWORK = [
    cfg.MultiOpt(
        "physical_network_adapter_mappings",
        item_type=NetworkAdapterMapping(),
        sample_default="physnet1:74e2d5b0-7c2d-11e6-8b77-0242ac130004:0",
        help="One line for each physical network: its name, and the adapter and port (0, unless "
        "given) it is cabled to. No network twice, and no port twice.",
    ),
]


def group() -> cfg.OptGroup:
    """``[dpm]``, a new one each time: oslo.config keeps the values that are set in it."""
    return cfg.OptGroup(
        "dpm",
        title="IBM Z in DPM mode",
        help="The Hardware Management Console, and this host's share of a machine (a CPC subset).",
    )


def register_common(conf: cfg.ConfigOpts) -> None:
    """What both services need to find the machine."""
    conf.register_group(group())
    conf.register_opts(COMMON, group="dpm")


def register_compute(conf: cfg.ConfigOpts) -> None:
    """All of nova-compute's."""
    register_common(conf)
    conf.register_opts(COMPUTE, group="dpm")


def register_network(conf: cfg.ConfigOpts) -> None:
    """All of neutron-dpm-agent's."""
    register_common(conf)
    conf.register_opts(NETWORK, group="dpm")


def list_compute_options() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """oslo-config-generator's namespace ``nova_dpm``."""
    return [(group(), [*COMMON, *COMPUTE])]


def list_network_options() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """oslo-config-generator's namespace ``networking_dpm``."""
    return [(group(), [*COMMON, *NETWORK])]
