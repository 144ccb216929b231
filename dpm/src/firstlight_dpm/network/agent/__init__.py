"""``neutron-dpm-agent``: tells Neutron which of its ports have a NIC on the HMC."""
