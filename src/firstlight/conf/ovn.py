"""``[ovn]``: where OVN's southbound database is, as the files of Neutron's OVN agents say it."""

from oslo_config import cfg

OPTIONS = [
    (
        "ovn",
        [
            cfg.ListOpt(
                "ovn_sb_connection",
                default=["tcp:127.0.0.1:6642"],
                help="""
OVN's southbound database: tcp:HOST:PORT, ssl:HOST:PORT or unix:FILE; of a cluster, all of them.
""",
            ),
            cfg.StrOpt(
                "ovn_sb_private_key",
                default="",
                help="PEM file of the private key, for ssl.",
            ),
            cfg.StrOpt(
                "ovn_sb_certificate",
                default="",
                help="PEM file of the certificate that the database knows us by, for ssl.",
            ),
            cfg.StrOpt(
                "ovn_sb_ca_cert",
                default="",
                help="PEM file of the authority that the database's certificate is from, for ssl.",
            ),
        ],
    )
]
