"""What a pcss-vendor-metadata.ini may hold beside ``[neutron]``: oslo.service's options."""

from oslo_config import cfg

# oslo.service's defaults are left out where ours is better: unset means ours.
OPTIONS = [
    (
        "DEFAULT",
        [
            cfg.StrOpt(
                "api_paste_config",
                help="""
The paste pipeline of pcss-vendor-metadata. Only the one it was shipped with is understood: with any
other the service does not start, because a pipeline says who is let in.
""",
            ),
            cfg.IntOpt(
                "wsgi_default_pool_size",
                min=1,
                help="Requests that are answered at a time; unset: [firstlight] request_threads.",
            ),
            cfg.IntOpt(
                "max_header_line",
                min=1,
                help="Bytes of a header line, for long tokens; below 49152 it changes nothing.",
            ),
            cfg.IntOpt(
                "client_socket_timeout",
                min=0,
                help="Seconds for which a connection may be idle; 0: for ever, unset: 60.",
            ),
            cfg.BoolOpt(
                "wsgi_keep_alive",
                default=True,
                help="If false, a connection is closed when its first request is answered.",
            ),
            cfg.IntOpt(
                "tcp_keepidle",
                min=1,
                help="Seconds of silence after which the kernel asks whether a caller still lives.",
            ),
            cfg.IntOpt(
                "graceful_shutdown_timeout",
                min=0,
                help="Seconds to answer what was asked when told to stop; 0: as long as it takes, "
                "unset: 15.",
            ),
        ],
    ),
    (
        "ssl",
        [
            cfg.StrOpt(
                "cert_file",
                deprecated_group="DEFAULT",
                deprecated_name="ssl_cert_file",
                help="Certificate chain, PEM. With it and key_file the service speaks TLS.",
            ),
            cfg.StrOpt(
                "key_file",
                deprecated_group="DEFAULT",
                deprecated_name="ssl_key_file",
                help="Private key, PEM.",
            ),
            cfg.StrOpt(
                "ca_file",
                deprecated_group="DEFAULT",
                deprecated_name="ssl_ca_file",
                help="CA bundle; if set, callers must show a certificate of it.",
            ),
            cfg.StrOpt(
                "version",
                choices=["TLSv1_2", "SSLv23"],
                ignore_case=True,
                help="TLSv1_2 for that version alone; unset or SSLv23: what both sides know best. "
                "Older versions are not spoken.",
            ),
            cfg.StrOpt("ciphers", help="OpenSSL's list of ciphers; unset: Python's."),
        ],
    ),
]
