"""``[api]``, ``[DEFAULT]``, ``[wsgi]`` and ``[oslo_middleware]`` of a nova.conf: Nova's options."""

from oslo_config import cfg, types

OPTIONS = [
    (
        "DEFAULT",
        [
            cfg.HostAddressOpt(
                "metadata_listen",
                default="0.0.0.0",  # noqa: S104  (Nova's default)
                help="Address to listen on.",
            ),
            cfg.PortOpt("metadata_listen_port", default=8775, help="Port to listen on."),
            cfg.IntOpt(
                "metadata_workers",
                default=1,
                min=1,
                help="""
Processes that answer. One event loop answers more than a rack of Nova's workers did, so the
default is one, whatever the number of cores.
""",
            ),
            cfg.ListOpt(
                "enabled_ssl_apis",
                default=[],
                help="Services that speak TLS; ``metadata`` is ours. See [wsgi] ssl_cert_file.",
            ),
            cfg.StrOpt(
                "config_drive_format",
                default="iso9660",
                choices=["iso9660", "vfat"],
                help="What `firstlight config-drive` makes: a CD, or a disk of 64 MiB.",
            ),
        ],
    ),
    (
        "api",
        [
            cfg.IntOpt(
                "metadata_cache_expiration",
                default=15,
                min=0,
                help="Seconds for which what is known of an instance is kept; 0: not at all.",
            ),
            cfg.StrOpt(
                "dhcp_domain",
                default="novalocal",
                help="Appended to each server's host name; empty: nothing is appended.",
            ),
            cfg.ListOpt(
                "vendordata_providers",
                item_type=types.String(choices=["StaticJSON", "DynamicJSON"]),
                default=["StaticJSON"],
                help="Where vendor data comes from: StaticJSON, DynamicJSON or both, in order.",
            ),
            cfg.StrOpt(
                "vendordata_jsonfile_path", help="The file StaticJSON serves; unset: ``{}``."
            ),
            cfg.ListOpt(
                "vendordata_dynamic_targets",
                default=[],
                help="Targets of DynamicJSON, each ``name@url``.",
            ),
            cfg.StrOpt(
                "vendordata_dynamic_ssl_certfile",
                default="",
                help="CA bundle that https targets are verified with; empty: the system's.",
            ),
            cfg.IntOpt(
                "vendordata_dynamic_connect_timeout",
                default=5,
                min=3,
                help="Seconds to wait for a connection to a target.",
            ),
            cfg.IntOpt(
                "vendordata_dynamic_read_timeout",
                default=5,
                min=0,
                help="Seconds to wait for a target's answer.",
            ),
            cfg.BoolOpt(
                "vendordata_dynamic_failure_fatal",
                default=False,
                help="Answer vendor_data2.json with an error when a target fails, not with {}.",
            ),
            cfg.StrOpt(
                "config_drive_skip_versions",
                default=(
                    "1.0 2007-01-19 2007-03-01 2007-08-29 2007-10-10 2007-12-15 2008-02-01 "
                    "2008-09-01"
                ),
                help="Versions of the EC2 tree that are not on a config drive.",
            ),
            cfg.BoolOpt(
                "local_metadata_per_cell",
                default=False,
                help="The service reads one cell's database and no API database.",
            ),
        ],
    ),
    (
        "wsgi",
        [
            cfg.StrOpt("ssl_cert_file", help="Certificate chain, PEM."),
            cfg.StrOpt("ssl_key_file", help="Private key, PEM."),
            cfg.StrOpt(
                "ssl_ca_file", help="CA bundle; if set, clients must show a certificate of it."
            ),
        ],
    ),
    (
        "oslo_middleware",
        [
            cfg.BoolOpt(
                "enable_proxy_headers_parsing",
                default=False,
                help="Take the client's address from the headers of a proxy in front.",
            ),
        ],
    ),
    (
        "api_database",
        [cfg.StrOpt("connection", secret=True, help="URL of Nova's API database.")],
    ),
    (
        "database",
        [cfg.StrOpt("connection", secret=True, help="URL of a cell's database.")],
    ),
]
