"""``[firstlight]``: what Nova never had an option for."""

from oslo_config import cfg

from firstlight.conf.full_list import full_list

OPTIONS = [
    (
        "firstlight",
        [
            cfg.StrOpt(
                "source",
                default="auto",
                choices=[
                    ("auto", "nova if the file names Nova's databases, else store"),
                    ("store", "the embedded store, [store] connection"),
                    ("nova", "Nova's databases"),
                ],
                help="Where instances come from.",
            ),
            cfg.IntOpt(
                "nova_release",
                min=27,
                help="Nova's major version for which the files were written, such as 31: under "
                "which older names options are taken ([DEFAULT] dhcp_domain for [api] dhcp_domain "
                "until 31), and, before 33, that a WSGI server's name stands for a folder of "
                "files. Unset: the newest release that takes the names which the files use.",
            ),
            full_list(
                "previous_shared_secrets",
                default=[],
                secret=True,
                help="Secrets still accepted beside [neutron] metadata_proxy_shared_secret, "
                "so that it can be changed on the metadata service first and on the agents "
                "afterwards. An empty item is refused: any caller could sign with it.",
            ),
            cfg.HostAddressOpt(
                "status_listen",
                default="127.0.0.1",
                help="Address of /healthz, /readyz and /metrics; never one that guests reach.",
            ),
            cfg.PortOpt("status_port", default=8780, help="Port of /healthz, /readyz, /metrics."),
            cfg.StrOpt(
                "access_log",
                default="-",
                help="File of the access log; ``-`` is standard error, empty is none.",
            ),
            cfg.IntOpt(
                "cache_size",
                default=256,
                min=1,
                help="MiB of instance data and rendered documents that are kept in memory.",
            ),
            cfg.FloatOpt(
                "negative_cache_expiration",
                default=1.0,
                min=0,
                help="Seconds for which it is remembered that an instance does not exist.",
            ),
            cfg.FloatOpt(
                "stale_limit",
                default=3600,
                min=0,
                help="""
Seconds past its expiry for which what is known of an instance is served while its source cannot be
asked. Responses then carry ``Firstlight-Stale``.
""",
            ),
            cfg.IntOpt(
                "cold_threads",
                default=16,
                min=1,
                help="""
Threads that look up what is not in memory. Each waits for the database server most of the time; an
SQLite file, where there is nothing to wait for, is read by two at most.
""",
            ),
            cfg.IntOpt(
                "cold_queue",
                default=1024,
                min=1,
                help="Look-ups that may wait for a thread; past it the answer is 503.",
            ),
            cfg.FloatOpt(
                "deadline",
                default=9.0,
                min=1,
                help="Seconds after which a request is answered with 503, come what may.",
            ),
            cfg.FloatOpt(
                "vendordata_deadline",
                default=8.0,
                min=0.5,
                help="""
Seconds for all dynamic vendordata targets together; they are asked in parallel. A guest's
cloud-init waits 10 seconds.
""",
            ),
            cfg.IntOpt(
                "vendordata_cache_size",
                default=64,
                min=1,
                help="MiB of answers of dynamic vendordata targets that are kept in memory.",
            ),
            cfg.FloatOpt(
                "vendordata_hold",
                default=0,
                min=0,
                max=9,
                help="""
Seconds for which GET /openstack, the first thing a guest asks, is held until the required targets
([vendordata_target:NAME] required) have answered; one that fails is asked again every second. Must
be half a second below [firstlight] deadline. 0: it is answered at once.
""",
            ),
            cfg.IntOpt(
                "vendordata_retry_after",
                default=0,
                min=0,
                help="""
If the required targets have not answered by then: 503 with this many seconds as Retry-After for
GET /openstack, for clients that are known to wait (cloud-init 25.1 and later, by their User-Agent).
Others are answered, because a 503 would make them give up. 0: everybody is answered.
""",
            ),
            cfg.FloatOpt(
                "vendordata_error_after",
                default=0,
                min=0,
                help="""
Seconds after which a server whose guest has asked, and whose required targets have not answered, is
set to ERROR: through Nova's API with the credentials of vendordata_error_auth_section, or in the
embedded store. 0: never.
""",
            ),
            cfg.StrOpt(
                "vendordata_error_auth_section",
                help="""
Section with keystoneauth's options (auth_type, auth_url, username, ...) of a user whom Nova lets
reset a server's state, an administrator's; [neutron] may do.
""",
            ),
            cfg.FloatOpt(
                "neutron_deadline",
                default=4.0,
                min=0.1,
                help="""
Seconds for one question to Neutron, retries and a token from Keystone included. A request may need
two of them, one for who is asking and one for its security groups.
""",
            ),
            cfg.BoolOpt(
                "notifications",
                default=False,
                help="""
Listen to Nova's notifications, so that a change is seen at once and not after [api]
metadata_cache_expiration. The broker is the one that [oslo_messaging_notifications] transport_url
or [DEFAULT] transport_url names, as for Nova.
""",
            ),
            cfg.StrOpt(
                "notification_pool",
                default="firstlight-$host",
                help="""
The queue that notifications are copied to, so that other listeners lose none. Each host needs one
of its own: every host is told everything.
""",
            ),
            cfg.ListOpt(
                "notification_topics",
                default=["notifications", "versioned_notifications"],
                help="""
Topics on which Nova notifies: [oslo_messaging_notifications] topics and [notifications]
versioned_notifications_topics of its services.
""",
            ),
        ],
    )
]
