"""Ports of storage adapters, as the HMC's API names them."""

import zhmcclient

from firstlight_dpm.options import StoragePort


def uri(port: StoragePort) -> str:
    """The port's URI."""
    return f"/api/adapters/{port.adapter}/storage-ports/{port.port}"


def port_at(cpc: zhmcclient.Cpc, port_uri: str) -> zhmcclient.Port:
    """The port of that URI, without asking the HMC."""
    adapter = cpc.adapters.resource_object(port_uri.partition("/storage-ports/")[0])
    return adapter.ports.resource_object(port_uri)
