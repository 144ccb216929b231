"""Run by the lab's Python: the file that Neutron's own driver writes for haproxy, to stdout.

Arguments: ``network``, ``router`` or ``ovn``, the id, the agent's socket, the pid file; then files
of options, if any.
"""

import sys

from neutron.agent.metadata import driver
from neutron.agent.ovn.metadata import driver as ovn
from neutron.conf.agent.metadata import config
from oslo_config import cfg
from oslo_log import log

kind, identifier, agent, pid_file, *files = sys.argv[1:]
log.register_options(cfg.CONF)
config.register_meta_conf_opts(config.METADATA_RATE_LIMITING_OPTS, group=config.RATE_LIMITING_GROUP)
config.register_meta_conf_opts(config.METADATA_HAPROXY_OPTS, group=config.HAPROXY_GROUP)
cfg.CONF([f"--config-file={file}" for file in files])
routed = kind == "router"
made = (ovn if kind == "ovn" else driver).HaproxyConfigurator(
    None if routed else identifier,
    identifier if routed else None,
    agent,
    "::" if routed else "169.254.169.254",
    9697 if routed else 80,
    "root",
    "root",
    "/nonexistent",
    pid_file,
    cfg.CONF.metadata_rate_limiting,
    cfg.CONF.metadata_haproxy,
    host_v6=None if routed else "fe80::a9fe:a9fe",
    bind_interface=None if routed else "tap0",
)
sys.stdout.write(made.haproxy_cfg)
