"""Run by the lab's Python: neutron-metadata-agent, whose RPC answers at once with one port.

Its arguments are the agent's own. What remains is what the agent itself costs.
"""

import os

from neutron.agent.metadata import agent
from neutron.agent.metadata_agent import main

PORT = {"device_id": os.environ["INSTANCE"], "project_id": os.environ["PROJECT"]}

agent.MetadataPluginAPI.get_ports = lambda *_args, **_filters: [PORT]
agent.UnixDomainMetadataProxy._init_state_reporting = lambda _self: None
main()
