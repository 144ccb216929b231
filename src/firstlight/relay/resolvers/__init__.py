"""Where it is known which port has an address: Neutron, OVN's southbound database, the store."""
