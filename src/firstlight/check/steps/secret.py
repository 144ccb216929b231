"""The secret that metadata proxies sign with, compared and never shown."""

import hmac
from collections.abc import Iterator, Sequence
from pathlib import Path

from oslo_config import cfg

from firstlight.check.option_location import place
from firstlight.check.step import Asked, Finding, OptionLocation, Step, broken, ok, warning

_AGENTS = (  # where Neutron's packages put them
    Path("/etc/neutron/metadata_agent.ini"),
    Path("/etc/neutron/neutron_ovn_metadata_agent.ini"),
    Path("/etc/neutron/plugins/ml2/ovn_agent.ini"),
)
_PROXY = "metadata_proxy_shared_secret"


def step(conf: cfg.ConfigOpts, asked: Asked) -> Step:
    """Is there one, and do the agents whose files can be read sign with the same?"""
    return Step("shared secret", lambda: _look(conf, asked.agent_files))


def _look(conf: cfg.ConfigOpts, agents: Sequence[Path]) -> Iterator[Finding]:
    ours = conf.neutron.metadata_proxy_shared_secret
    where = place(conf, "neutron", _PROXY)
    if not conf.neutron.service_metadata_proxy:
        yield ok(
            "not needed: [neutron] service_metadata_proxy is false, guests are known by address"
        )
        return
    if ours:
        yield ok("set")
    else:
        yield warning(
            "empty: whoever reaches the service and knows a server's id and project can be it",
            where,
            remedy=f"set it here and, to the same value, in the metadata agents' {_PROXY}",
        )
    for file in agents or [file for file in _AGENTS if file.exists()]:
        yield from _compared(conf, file, where)


def _compared(conf: cfg.ConfigOpts, file: Path, ours: OptionLocation) -> Iterator[Finding]:
    try:
        agent = _agent(file)
    except (cfg.Error, OSError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        yield warning(f"{file} cannot be read: {why}", remedy="run this as a user who may read it")
        return
    accepted = (conf.neutron[_PROXY], *conf.firstlight.previous_shared_secrets)
    theirs = agent[_PROXY].encode()
    if any(hmac.compare_digest(theirs, secret.encode()) for secret in accepted):
        yield ok(f"the same in {file}")
    else:
        yield broken(
            f"another one in {file}: every request of that agent is answered with 403",
            OptionLocation(str(file), f"[DEFAULT] {_PROXY}"),
            remedy=f"set it to the value of {ours}, and restart the agent",
        )
    if agent.nova_metadata_port != conf.metadata_listen_port:
        yield warning(
            f"{file} asks port {agent.nova_metadata_port}, the service listens on"
            f" {conf.metadata_listen_port}",
            OptionLocation(str(file), "[DEFAULT] nova_metadata_port"),
            remedy="right if a proxy is between them; else make them the same",
        )


def _agent(file: Path) -> cfg.ConfigOpts:
    """What a metadata agent of Neutron reads (names and defaults are Neutron's)."""
    conf = cfg.ConfigOpts()
    conf.register_opts(
        [
            cfg.StrOpt(_PROXY, default="", secret=True),
            cfg.PortOpt("nova_metadata_port", default=8775),
        ]
    )
    conf([f"--config-file={file}"], project="neutron", default_config_dirs=[])
    return conf
