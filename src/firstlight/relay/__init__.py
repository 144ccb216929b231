"""The relay: from 169.254.169.254 in a tenant's network to the metadata service.

The proxy (:mod:`firstlight.relay.proxy.handler`), or any proxy that speaks to Neutron's socket,
reads a request in the network that the guest sent it from. The agent
(:mod:`firstlight.relay.agent.handler`) finds the guest's server by that network and the guest's
address, and passes the request on, signed, to the metadata service.
"""
