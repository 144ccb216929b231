"""Clients of OpenStack's services for plug-ins; `session` is ``current_app.ks_session``."""

from typing import Any


def get_keystone_client(session: Any) -> Any:
    """Keystone's, version 3."""
    from keystoneclient.v3.client import Client

    return Client(session=session)


def get_nova_client(session: Any) -> Any:
    """Nova's, without a microversion, as servers were always shown to plug-ins."""
    from novaclient.client import Client

    return Client("2", session=session)


def get_glance_client(session: Any) -> Any:
    """Glance's, version 2."""
    from glanceclient.client import Client

    return Client("2", session=session)


def get_cinder_client(session: Any) -> Any:
    """Cinder's, version 3."""
    from cinderclient.client import Client

    return Client("3", session=session)
