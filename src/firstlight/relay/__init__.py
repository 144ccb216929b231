"""The relay: from 169.254.169.254 in a tenant's network to the metadata service.

A request is read where the guest sent it (:mod:`firstlight.relay.proxy`, or anybody's proxy that
speaks to Neutron's socket), the guest is recognised by the place it asked from and its address, and
the request goes on, signed, to the metadata service (:mod:`firstlight.relay.agent`).
"""
