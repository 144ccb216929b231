"""What nova-pollinate and pcss-vendor-metadata did at their file's word, and we do not."""

from firstlight.conf.reading.unhonoured import NotOurs, is_given, is_not, is_true

_HEALTH = (
    "/healthcheck says that the process answers; to take it out of rotation end it, or have the "
    "load balancer ask another path"
)
_LOG = "the access log has one form (docs/names.md); [firstlight] access_log says where it goes"

NOT_OURS: NotOurs = {
    ("DEFAULT", "wsgi_log_format"): (is_given, _LOG),
    ("DEFAULT", "wsgi_server_debug"): (
        is_true,
        "callers are shown no tracebacks; the log has them",
    ),
    ("DEFAULT", "backdoor_port"): (is_not("none"), "there is no eventlet backdoor"),
    ("DEFAULT", "backdoor_socket"): (is_not("none"), "there is no eventlet backdoor"),
    ("healthcheck", "backends"): (is_given, _HEALTH),
    ("healthcheck", "disable_by_file_path"): (is_given, _HEALTH),
    ("healthcheck", "disable_by_file_paths"): (is_given, _HEALTH),
    ("healthcheck", "path"): (is_not("/healthcheck"), "the path is /healthcheck"),
    ("cors", "allowed_origin"): (is_given, "no Cross-Origin headers are sent"),
}
