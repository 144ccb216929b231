"""All kinds of servers that real Nova is asked about."""

from lab.kinds.disks import DISKS
from lab.kinds.networks import NETWORKS
from lab.kinds.servers import SERVERS

KINDS = {kind.name: kind for kind in (*SERVERS, *DISKS, *NETWORKS)}
