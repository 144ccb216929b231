"""The vendordata service's own options: pcss's and Pollinate's names where they had one."""

from oslo_config import cfg

from firstlight.conf import common
from firstlight.conf.full_list import full_list

_NAMES = [option for option in common.OPTIONS[0][1] if option.dest != "state_path"]

OPTIONS = [
    (
        "DEFAULT",
        [
            *_NAMES,
            cfg.StrOpt(
                "state_path",
                # Its own: the metadata service runs as another user.
                default="/var/lib/firstlight-vendordata",
                help="Directory of what must survive a restart; other options may refer to it.",
            ),
            cfg.HostAddressOpt(
                "listen",
                default="0.0.0.0",  # noqa: S104  (pcss's default)
                help="Address to listen on; ``::`` is every address of both families.",
            ),
            cfg.PortOpt("port", default=9090, help="Port to listen on."),
            cfg.IntOpt("workers", default=1, min=1, help="Processes that answer."),
            cfg.StrOpt(
                "auth_strategy",
                default="keystone",
                choices=[
                    ("keystone", "callers show a token, checked as [keystone_authtoken] says"),
                    ("noauth", "whoever reaches the service is answered"),
                    ("testing", "whoever says ``X-Identity-Status: Confirmed`` is answered"),
                ],
                help="""
How callers show who they are. In the shape of nova-pollinate, noauth is what it was there: a caller
is answered if he says ``X-Identity-Status: Confirmed``, as a proxy in front may do for him.
""",
            ),
            cfg.ListOpt(
                "providers",
                default=[],
                help="""
Providers that are asked, in the order of their answers: names of entry points of the group
``firstlight.providers``, each with a section ``[provider:NAME]``; or plug-ins for nova-pollinate,
by name of an entry point of the group ``pollinate.providers`` or by dotted path of the class.
""",
            ),
        ],
    ),
    (
        "firstlight",
        [
            full_list(
                "required_roles",
                help="The caller's token must have one of these roles; all providers answer it. "
                "Not set: any valid token is answered, but confidential providers answer "
                "only a token whose scope is the system or that has the role service or admin, as "
                "the user of Nova's ``[vendordata_dynamic_auth]`` has; others get 403. Set and "
                "empty: any valid token reads all secrets, as with pcss-vendor-metadata and "
                "nova-pollinate, and each start warns of it. Case does not matter; an empty item "
                "in the list is refused.",
            ),
            cfg.FloatOpt(
                "provider_deadline",
                default=4.5,
                min=0.1,
                help="""
Seconds after a request's arrival by which it is answered with what the providers have said so far.
Nova stops reading after 5 ([api] vendordata_dynamic_read_timeout).
""",
            ),
            cfg.StrOpt(
                "cloud_interface",
                default="public",
                choices=["public", "internal", "admin"],
                help="Which endpoints of the service catalog providers ask.",
            ),
            cfg.StrOpt("cloud_region", help="The region of those endpoints; unset: any."),
            cfg.IntOpt(
                "provider_threads",
                default=8,
                min=1,
                help="Threads for each provider: how many of its answers are looked up at a time.",
            ),
            cfg.IntOpt(
                "request_threads",
                default=16,
                min=1,
                help="Requests that are answered at a time.",
            ),
            cfg.IntOpt(
                "request_queue",
                default=256,
                min=1,
                help="Requests that may wait for a thread; past it the answer is 503.",
            ),
            cfg.HostAddressOpt(
                "status_listen",
                default="127.0.0.1",
                help="Address of /healthz, /readyz and /metrics.",
            ),
            cfg.PortOpt("status_port", default=8781, help="Port of /healthz, /readyz, /metrics."),
            cfg.StrOpt(
                "access_log",
                default="-",
                help="File of the access log; ``-`` is standard error, empty is none.",
            ),
        ],
    ),
]
