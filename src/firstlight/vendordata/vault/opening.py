"""From ``[vault]`` to a Vault."""

from pathlib import Path
from typing import TYPE_CHECKING

from oslo_config import cfg

from firstlight.conf import ConfigError
from firstlight.conf.vault import GROUP

if TYPE_CHECKING:
    from firstlight.vendordata.vault.login import VaultLogin
    from firstlight.vendordata.vault.secrets import Vault


def open_vault(conf: cfg.ConfigOpts) -> "Vault":
    """The Vault that `conf` names; nothing is sent yet.

    Raises:
        ConfigError: it names none, or nothing to log in with, or hvac is not installed.
    """
    section, ours = conf[GROUP], conf.firstlight
    for option in ("url", "path"):
        if not section[option]:
            raise ConfigError(f"[{GROUP}] {option} is not set: a provider needs secrets")
    try:
        from hvac import Client

        from firstlight.vendordata.vault.secrets import Vault
    except ImportError as error:
        raise ConfigError(
            f"secrets need hvac, which is not installed ({error}); pip install firstlight[vault]"
        ) from error
    client = Client(
        url=section.url,
        verify=ours.vault_cafile or True,
        namespace=ours.vault_namespace,
        # A call that outlasts the deadline helps nobody.
        timeout=min(section.timeout, ours.provider_deadline),
    )
    client.token = None  # hvac takes one from the environment or the home directory by itself
    return Vault(client, _login(conf), path=section.path, mount=ours.vault_mount)


def _login(conf: cfg.ConfigOpts) -> "VaultLogin":
    from firstlight.vendordata.vault.login import WithKubernetes, WithToken

    section, ours = conf[GROUP], conf.firstlight
    if section.token:
        return WithToken(section.token)
    if not section.role:
        raise ConfigError(
            f"[{GROUP}] has neither token nor role: set one of them, so that Vault lets us in"
        )
    return WithKubernetes(
        section.role,
        jwt=Path(ours.vault_service_account_token),
        mount=ours.vault_kubernetes_mount,
    )
