"""What Neutron's own files say about the road, where they can be read."""

from collections.abc import Iterator
from pathlib import Path

from oslo_config import cfg

from firstlight.check.step import Finding, OptionLocation, Step, broken, ok, warning

_DHCP = Path("/etc/neutron/dhcp_agent.ini")
_L3 = Path("/etc/neutron/l3_agent.ini")
_SERVICES = (Path("/etc/nova/nova.conf"), Path("/etc/firstlight/metadata.conf"))
_SECRET = "metadata_proxy_shared_secret"  # noqa: S105  (the option's name)


def steps(
    conf: cfg.ConfigOpts,
    *,
    dhcp: Path = _DHCP,
    l3: Path = _L3,
    services: tuple[Path, ...] = _SERVICES,
) -> list[Step]:
    """One step for each side of the road that has a file on this host, or should have."""
    found = [
        Step("metadata service's file", lambda each=file: _service(conf, each))  # type: ignore[misc]
        for file in services
        if file.exists() and not conf.relay.agent_socket
    ]
    if dhcp.exists() and "qdhcp" in conf.relay.namespaces:
        found.append(Step("DHCP agent's file", lambda: _dhcp(dhcp)))
    if l3.exists() and "qrouter" in conf.relay.namespaces:
        found.append(Step("L3 agent's file", lambda: _l3(conf, l3)))
    return found


def _service(conf: cfg.ConfigOpts, file: Path) -> Iterator[Finding]:
    options = [
        cfg.BoolOpt("service_metadata_proxy", default=False),
        cfg.StrOpt(_SECRET, default="", secret=True),
    ]
    read = _read(file, options, "neutron")
    if isinstance(read, Finding):
        yield read
        return
    if not read.neutron.service_metadata_proxy:
        yield warning(
            f"{file} does not have the metadata service believe agents",
            OptionLocation(str(file), "[neutron] service_metadata_proxy"),
            remedy="set it to true if that service is the one this relay asks",
        )
    if read.neutron[_SECRET] == conf[_SECRET]:
        yield ok(f"the secret is the same in {file}")
    else:
        yield broken(
            f"another secret in {file}: every request is answered with 403",
            OptionLocation(str(file), f"[neutron] {_SECRET}"),
            remedy="set both to the same value, and reload",
        )


def _dhcp(file: Path) -> Iterator[Finding]:
    names = ("enable_isolated_metadata", "force_metadata")
    read = _read(file, [cfg.BoolOpt(name, default=False) for name in names], None)
    if isinstance(read, Finding):
        yield read
    elif any(read[name] for name in names):
        yield ok(f"isolated networks get the metadata address ({file})")
    else:
        yield warning(
            "networks without a router get neither the metadata address nor a route to it",
            OptionLocation(str(file), "[DEFAULT] enable_isolated_metadata"),
            remedy="set it to true if there are such networks, and restart the DHCP agent",
        )


def _l3(conf: cfg.ConfigOpts, file: Path) -> Iterator[Finding]:
    options = [
        cfg.BoolOpt("enable_metadata_proxy", default=True),
        cfg.PortOpt("metadata_port", default=9697),
    ]
    read = _read(file, options, None)
    if isinstance(read, Finding):
        yield read
    elif not read.enable_metadata_proxy:
        yield warning(
            "routers do not redirect what guests ask of the metadata address",
            OptionLocation(str(file), "[DEFAULT] enable_metadata_proxy"),
            remedy="set it to true, and restart the L3 agent",
        )
    elif read.metadata_port != conf.metadata_port:
        yield broken(
            f"routers redirect to port {read.metadata_port}, the broker listens on"
            f" {conf.metadata_port}",
            OptionLocation(str(file), "[DEFAULT] metadata_port"),
            remedy="give the broker this file, or the same metadata_port in its own",
        )
    else:
        yield ok(f"routers redirect to port {read.metadata_port}")


def _read(file: Path, options: list[cfg.Opt], group: str | None) -> cfg.ConfigOpts | Finding:
    conf = cfg.ConfigOpts()
    conf.register_opts(options, group=group)
    try:
        conf([f"--config-file={file}"], project="neutron", default_config_dirs=[])
        for option in options:
            getattr(conf[group] if group else conf, option.dest)
    except (cfg.Error, OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        return warning(f"{file} cannot be read: {why}", remedy="run this as a user who may read it")
    return conf
