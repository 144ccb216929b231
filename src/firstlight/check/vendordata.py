"""The road of the vendordata service: both credentials, each provider, the listener."""

from collections.abc import Iterator, Sequence
from functools import partial

from keystoneauth1 import loading
from keystoneauth1.exceptions import ClientException
from keystoneauth1.session import Session
from oslo_config import cfg

from firstlight.check.asking import Unanswered, ask, seen_from_here
from firstlight.check.option_location import place
from firstlight.check.step import Asked, Finding, Step, broken, ok, warning
from firstlight.check.steps import addresses, configuration, listening, log
from firstlight.check.steps.addresses import Wanted
from firstlight.check.steps.keystone import token
from firstlight.conf import ConfigError, keystone_authtoken, provider_neutron, service_auth
from firstlight.conf.compat_mode import CompatMode, compat_mode_of, listens_at
from firstlight.vendordata.auth import caller_roles
from firstlight.vendordata.auth.gates import required_roles
from firstlight.vendordata.clients import ConfiguredClients, open_session
from firstlight.vendordata.contract import Provider, ProviderFailed
from firstlight.vendordata.deploy import prepare_pcss
from firstlight.vendordata.loading import load_providers
from firstlight.vendordata.policy.deploy import read_policies

PROVIDERS, CALLERS, LISTENER = "providers", "callers", "vendordata service"
_SECONDS = 15.0


def road(conf: cfg.ConfigOpts, asked: Asked) -> Sequence[Step]:
    """Every step, in the order of the road."""
    return [
        configuration.readable(conf),
        log.step(conf, "vendordata"),
        Step(CALLERS, lambda: _callers(conf), seconds=_SECONDS),
        *_credentials(conf),
        Step(PROVIDERS, lambda: _providers(conf)),
        *(_serving(conf) if asked.serving else [addresses.step(conf, _wanted(conf))]),
    ]


def _wanted(conf: cfg.ConfigOpts) -> list[Wanted]:
    _, port = listens_at(conf)
    return [
        Wanted(port, "DEFAULT", "port", spare=False),
        Wanted(conf.firstlight.status_port, "firstlight", "status_port"),
    ]


def _callers(conf: cfg.ConfigOpts) -> Iterator[Finding]:
    """The credentials with which callers' tokens are checked."""
    group = keystone_authtoken.GROUP
    if conf.auth_strategy != "keystone":
        yield warning(
            f"auth_strategy is {conf.auth_strategy}: whoever gets here reads all there is",
            place(conf, "DEFAULT", "auth_strategy"),
            remedy="set it to keystone, and give credentials in [keystone_authtoken]",
        )
        return
    try:
        auth = loading.load_auth_from_conf_options(conf, group)
    except (ClientException, cfg.Error, ValueError) as error:
        yield broken(str(error), place(conf, group, "auth_type"), remedy="correct the option")
        return
    if auth is None:
        yield broken(
            "there are no credentials to check callers' tokens with",
            place(conf, group, "auth_type"),
            remedy="set it to password, and give auth_url, username, password and project_name of a"
            " service user, with their domains",
        )
        return
    verify = False if conf[group].insecure else conf[group].cafile or True
    yield from token(conf, group, Session(auth=auth, verify=verify, timeout=_SECONDS / 3))
    if opened := caller_roles.opened(required_roles(conf)):
        yield warning(
            opened,
            place(conf, "firstlight", "required_roles"),
            remedy="give the user of Nova's [vendordata_dynamic_auth] the role service",
        )


def _credentials(conf: cfg.ConfigOpts) -> list[Step]:
    """Those with which providers ask; who has none may not need any."""
    groups = (service_auth.GROUP, provider_neutron.GROUP)
    return [
        Step(f"credentials [{group}]", partial(_credential, conf, group), seconds=_SECONDS)
        for group in groups
        if conf[group].auth_type
    ]


def _credential(conf: cfg.ConfigOpts, group: str) -> Iterator[Finding]:
    try:
        session = open_session(conf, group)
    except ConfigError as error:
        yield broken(str(error), place(conf, group, "auth_type"), remedy="correct the section")
        return
    yield from token(conf, group, session)


def _providers(conf: cfg.ConfigOpts) -> Iterator[Finding | Step]:
    """That they can be made, and then a step for what each of them depends on."""
    try:
        if compat_mode_of(conf) is CompatMode.PCSS:
            prepare_pcss(conf)
        clients = ConfiguredClients(conf)
        providers = load_providers(conf, clients)
        read_policies(conf, providers, clients)
    except ConfigError as error:
        where = place(conf, "DEFAULT", "providers")
        yield broken(str(error), where, remedy="correct what is named; the service does not start")
        return
    if not providers:
        yield warning(
            "no provider is enabled: every answer is empty",
            place(conf, "DEFAULT", "providers"),
            remedy="`firstlight provider list` shows which there are",
        )
        return
    yield ok(", ".join(providers))
    for name, provider in providers.items():
        yield Step(f"provider {name}", partial(_provider, conf, name, provider), seconds=_SECONDS)


def _provider(conf: cfg.ConfigOpts, name: str, provider: Provider) -> Iterator[Finding]:
    try:
        provider.ready()
    except ProviderFailed as failure:
        remedy = (
            "mend what is named; then"
            f" `firstlight provider run {name} --instance UUID` tries it for a server"
        )
        yield broken(str(failure), remedy=remedy)
    else:
        asks = ", ".join(provider.asks())
        yield ok(f"can ask for {asks}" if asks else "needs nobody")
    if conf[f"provider:{name}"].shadow:
        where = place(conf, f"provider:{name}", "shadow")
        yield warning(
            "runs in shadow: nobody is told what it says",
            where,
            remedy="set it to false to tell them",
        )


def _serving(conf: cfg.ConfigOpts) -> list[Step]:
    return [
        Step(LISTENER, lambda: _listener(conf), seconds=_SECONDS),
        listening.status(conf, "firstlight-vendordata", (LISTENER,)),
    ]


def _listener(conf: cfg.ConfigOpts) -> Iterator[Finding]:
    host, port = listens_at(conf)
    where = seen_from_here(host, port)
    try:
        reply = ask(host, port, "/healthcheck", tls=bool(conf.ssl.cert_file))
    except Unanswered as error:
        yield broken(
            f"nobody answers at {where}: {error}",
            place(conf, "DEFAULT", "port"),
            remedy="systemctl status firstlight-vendordata; before its first start, --before-start",
        )
        return
    if reply.status == 200:
        yield ok(f"answers at {where}")
    else:
        yield broken(
            f"{where} answers {reply.status} to GET /healthcheck",
            place(conf, "DEFAULT", "port"),
            remedy="which process has the port? ss -ltnp",
        )
