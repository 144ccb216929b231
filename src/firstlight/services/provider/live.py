"""What the running service says of the same instance."""

from typing import Any

import requests
from keystoneauth1.exceptions import ClientException
from msgspec import structs
from oslo_config import cfg

from firstlight.check.asking import seen_from_here
from firstlight.conf import ConfigError
from firstlight.conf.compat_mode import listens_at
from firstlight.vendordata.contract import Clients, Context

_PATIENCE = 10  # seconds: the service gives its providers half of that


class NotLive(Exception):
    """There is nothing to compare with; why, in a sentence."""


def usual_url(conf: cfg.ConfigOpts) -> str:
    """Where the service of this configuration is, seen from its own host."""
    host, port = listens_at(conf)
    scheme = "https" if conf.ssl.cert_file else "http"
    return f"{scheme}://{seen_from_here(host, port)}"


def ask(url: str, name: str, context: Context, conf: cfg.ConfigOpts, clients: Clients) -> Any:
    """The bare answer of the provider `name`, from JSON.

    Raises:
        NotLive: there is none.
    """
    where = f"{url.rstrip('/')}/providers/{name}"
    try:
        headers = _token(conf, clients)
        answer = requests.post(where, json=_body(context), headers=headers, timeout=_PATIENCE)
        if answer.status_code == 404:
            raise NotLive(f"the service at {url} has no provider {name} yet")
        if not answer.ok:
            raise NotLive(f"{where} answers {answer.status_code}: {answer.text[:300]}")
        return answer.json()
    except requests.ConnectionError as error:
        raise NotLive(f"nothing answers at {url}") from error
    except (requests.RequestException, ClientException, ConfigError) as error:
        raise NotLive(f"{where} could not be asked: {error}") from error


def _token(conf: cfg.ConfigOpts, clients: Clients) -> dict[str, str]:
    if conf.auth_strategy != "keystone":
        return {"X-Identity-Status": "Confirmed"}
    return {"X-Auth-Token": clients.session().get_token() or ""}


def _body(context: Context) -> dict[str, Any]:
    """As Nova sends it."""
    known = structs.asdict(context)
    return {
        "project-id": context.project_id,
        "instance-id": context.instance_id,
        "image-id": context.image_id or None,
        "user-data": context.user_data,
        "hostname": known["hostname"],
        "metadata": dict(context.metadata),
        "boot-roles": ",".join(context.boot_roles),
    }
