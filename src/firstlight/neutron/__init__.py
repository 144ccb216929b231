"""What the metadata service asks of Neutron: who has an address, which groups an instance is in.

The network service as :mod:`firstlight.sources.ports` wants it, by three of Neutron's lists. It is
asked when somebody asks, never at import or start. What it answers is not kept here.
"""

from firstlight.neutron.client import Neutron
from firstlight.neutron.deploy import open_neutron
from firstlight.neutron.session import NeutronMisconfigured

__all__ = ["Neutron", "NeutronMisconfigured", "open_neutron"]
