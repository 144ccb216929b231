"""The broker: the one part of the relay with a privilege, which is to enter network namespaces.

It follows the namespaces that Neutron's agents make, opens the listening sockets in them, keeps
them, and hands copies to the serving process. Nobody tells it what to open: what it does depends on
the directory of namespaces, the addresses in them and its options alone.
"""
