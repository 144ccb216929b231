"""The words of a bound port: the ML2 driver writes them, the Nova driver reads them.

``binding:vif_type`` says what the NIC sits on, ``binding:vif_details`` which one. Neutron stores
both with the port, so these words are kept as networking-dpm had them.
"""

#: The NIC sits on a virtual switch (up to z16).
VIF_TYPE_VSWITCH = "dpm_vswitch"
#: The NIC sits on a port of an adapter (z17, which has no virtual switches).
VIF_TYPE_ADAPTER = "dpm_adapter"

#: Object id of the virtual switch, or of the adapter.
OBJECT_ID = "object_id"
#: Element id of the adapter's port, as text ("0" or "1"); "0" where it is not said.
PORT = "port"
#: VLAN id of the segment; absent on a flat network.
VLAN = "vlan"
