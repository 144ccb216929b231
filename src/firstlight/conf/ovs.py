"""``[ovs]``: where the local Open vSwitch is, as the files of Neutron's OVN agents say it."""

from oslo_config import cfg

OPTIONS = [
    (
        "ovs",
        [
            cfg.StrOpt(
                "ovsdb_connection",
                default="unix:/run/openvswitch/db.sock",
                help="The database of this host's Open vSwitch, as ovs-vsctl(8) takes it.",
            ),
        ],
    )
]
