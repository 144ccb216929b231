"""What one server is, and what a vendordata target answered about it: plain immutable values.

The values use Nova's and Neutron's words. Every field a guest can see is here; how it is shown is
the business of :mod:`firstlight.documents`, where it comes from of :mod:`firstlight.sources`.
"""

from firstlight.instance.answer import Answer, State
from firstlight.instance.devices import Device, Disk, Nic, Share
from firstlight.instance.network import Address, Interface, Network, Route, Subnet
from firstlight.instance.server import BlockDevice, Ec2Ids, Instance, Keypair

__all__ = [
    "Address",
    "Answer",
    "BlockDevice",
    "Device",
    "Disk",
    "Ec2Ids",
    "Instance",
    "Interface",
    "Keypair",
    "Network",
    "Nic",
    "Route",
    "Share",
    "State",
    "Subnet",
]
