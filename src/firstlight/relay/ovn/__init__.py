"""On OVN: the namespaces ``ovnmeta-NETWORK``, made as Neutron's OVN agents make them.

For hosts where none of these agents runs. Names, addresses and switch ports are theirs, so that
either can go on where the other stopped (metadata-proxy §5).
"""
