"""``[DEFAULT]``: what the files of Nova, Neutron and ours refer to by ``$name``."""

import socket
from pathlib import Path

from oslo_config import cfg

OPTIONS = [
    (
        "DEFAULT",
        [
            cfg.StrOpt(
                "my_ip",
                default="127.0.0.1",
                help="This host's address; other options may refer to it as $my_ip.",
            ),
            cfg.StrOpt(
                "host",
                default=socket.gethostname(),
                sample_default="<this host's name>",
                help="This host's name; other options may refer to it as $host.",
            ),
            cfg.StrOpt(
                "pybasedir",
                default=str(Path(__file__).resolve().parent.parent.parent),
                sample_default="<where the package is installed>",
                help="Directory of the Python package; other options may refer to it.",
            ),
            cfg.StrOpt(
                "state_path",
                default="/var/lib/firstlight",
                help="Directory of what must survive a restart; other options may refer to it.",
            ),
        ],
    )
]
