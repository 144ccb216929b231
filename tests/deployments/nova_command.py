"""nova-api-metadata as Nova had it until 32, of a Nova that has its WSGI application only.

The command's words are in NOVA_COMMAND; files are searched for as the command did, and not as the
application does, which looks for nova.conf and api-paste.ini alone.
"""

import os
import sys

sys.argv = os.environ["NOVA_COMMAND"].split()

from nova.api.openstack import wsgi_app  # noqa: E402  (it reads sys.argv)
from oslo_config import cfg  # noqa: E402  after its stand-in is set

_PASTE = "/etc/nova/api-paste.ini"
_DIST = "/usr/share/nova/nova-dist.conf"  # Red Hat's oslo.config reads it before all others
_call = cfg.ConfigOpts.__call__


def _search(self, args=None, default_config_files=None, **options):
    """Without files of its own choice, so that oslo.config looks in its usual places."""
    found = cfg.find_config_files("nova", "nova-api-metadata")
    files = [_DIST, *found] if os.path.exists(_DIST) else found  # noqa: PTH110  as oslo.config asks
    return _call(self, args, default_config_files=files, **options)


cfg.ConfigOpts.__call__ = _search
wsgi_app._get_config_files = lambda: [_PASTE]
application = wsgi_app.init_application("metadata", "nova-api-metadata")
