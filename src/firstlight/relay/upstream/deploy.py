"""From a configuration to the metadata services that requests are passed on to."""

import ssl
from pathlib import Path

from oslo_config import cfg

from firstlight.relay.upstream.address import BadUpstream, TcpUpstream, parse
from firstlight.relay.upstream.balancer import Balancer
from firstlight.relay.upstream.client import UpstreamClient


def open_balancer(conf: cfg.ConfigOpts) -> Balancer:
    """The services that ``[relay] upstreams`` or ``nova_metadata_host`` name; none is asked yet.

    Raises:
        BadUpstream: a URL, or a file of TLS, cannot be used.
    """
    own = conf.relay
    tls = _tls(conf)
    addresses = [parse(url, tls) for url in own.upstreams] or [_novas(conf, tls)]
    return Balancer(
        [
            UpstreamClient(
                address,
                connections=own.upstream_connections,
                connect_timeout=own.connect_timeout,
                max_body=own.max_response * 1024 * 1024,
            )
            for address in addresses
        ]
    )


def _novas(conf: cfg.ConfigOpts, tls: ssl.SSLContext | None) -> TcpUpstream:
    encrypted = conf.nova_metadata_protocol == "https"
    return TcpUpstream(conf.nova_metadata_host, conf.nova_metadata_port, tls if encrypted else None)


def _tls(conf: cfg.ConfigOpts) -> ssl.SSLContext | None:
    """What https upstreams are spoken to with; None: there is none of them."""
    urls = conf.relay.upstreams or [f"{conf.nova_metadata_protocol}:"]
    if not any(url.startswith("https:") for url in urls):
        return None
    try:
        return _context(conf)
    except OSError as error:
        raise BadUpstream(
            f"auth_ca_cert, nova_client_cert or nova_client_priv_key: {error}"
        ) from error


def _context(conf: cfg.ConfigOpts) -> ssl.SSLContext:
    authorities = None if conf.nova_metadata_insecure else conf.auth_ca_cert
    # As requests, with which Neutron's agent asks, takes it: a bundle, or a directory of hashes.
    directory = authorities if authorities and Path(authorities).is_dir() else None
    context = ssl.create_default_context(
        cafile=authorities if directory is None else None, capath=directory
    )
    if conf.nova_metadata_insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if conf.nova_client_cert and conf.nova_client_priv_key:  # both, as Neutron's agent
        context.load_cert_chain(conf.nova_client_cert, conf.nova_client_priv_key)
    return context
