"""What an operator has written and we do not do: said once, by name, and never silently dropped.

Most of a nova.conf is for other services and is rightly ignored. This is about options that Nova's
own metadata service would act on (facts: Nova 34, oslo.middleware, oslo.service).
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from oslo_config import cfg, types

from firstlight.conf.reading.written import written


class Unhonoured(NamedTuple):
    """An option that has no effect here, and what to do about it."""

    file: str
    option: str  # ``[cors] allowed_origin``
    why: str

    def __str__(self) -> str:
        return f"{self.option} in {self.file} has no effect: {self.why}"


NotOurs = Mapping[tuple[str, str], tuple[Callable[[str], bool], str]]


def unhonoured(conf: cfg.ConfigOpts, not_ours: NotOurs | None = None) -> list[Unhonoured]:
    """What the files of a service ask for in vain. Values that change nothing are left.

    `not_ours` says, for an option, of which values that is so, and why; None: the metadata
    service's.
    """
    return list(_found(conf, _NOT_OURS if not_ours is None else not_ours))


def _found(conf: cfg.ConfigOpts, not_ours: NotOurs) -> Iterator[Unhonoured]:
    last = {(one.group, one.name): one for one in written(conf)}  # later files win
    for one in last.values():
        is_asked_for, why = not_ours.get((one.group, one.name), (_never, ""))
        if is_asked_for(one.value):
            yield Unhonoured(one.file, f"[{one.group}] {one.name}", why)


def _never(_value: str) -> bool:
    return False


def is_given(value: str) -> bool:
    """Whether there is a value at all."""
    return bool(value)


def is_true(value: str) -> bool:
    """Whether oslo.config takes it for true."""
    try:
        return bool(types.Boolean()(value))
    except ValueError:
        return False


def is_not(*usual: str) -> Callable[[str], bool]:
    """Whether a value is none of these, in any case, and not empty."""
    return lambda value: value.lower() not in (*usual, "")


def _other_pipeline(value: str) -> bool:
    """Whether a paste file has a pipeline for metadata that is not the one Nova ships.

    A relative name is looked for by Nova in its own places; only a file that can be read is judged.
    """
    try:
        lines = Path(value).read_text().splitlines()
    except (OSError, ValueError):
        return False
    section, pipelines = "", []
    for line in map(str.strip, lines):
        if line.startswith("["):
            section = line.strip("[]")
        elif section == "pipeline:meta" and line.replace(" ", "").startswith("pipeline="):
            pipelines.append(line.partition("=")[2].split())
    return any(pipeline not in _SHIPPED for pipeline in pipelines)


_SHIPPED = (["cors", "http_proxy_to_wsgi", "metaapp"], ["cors", "metaapp"], ["metaapp"])

_REPORTS = "there are no Guru Meditation Reports here; see /metrics and /readyz"
_POOL = "each database gets as many connections as there are [firstlight] cold_threads"
_DEBUG = "SQLAlchemy's own logger says it: [DEFAULT] default_log_levels = sqlalchemy.engine=INFO"

_DATABASE: dict[str, tuple[Callable[[str], bool], str]] = {
    "max_pool_size": (is_not("5"), _POOL),
    "connection_debug": (is_not("0"), _DEBUG),
    "mysql_wsrep_sync_wait": (
        is_not("0", "-1", "none"),
        "reads do not wait for a Galera node to catch up; put the parameter into the URL or"
        " connection_parameters as init_command, or name one node",
    ),
}

_NOT_OURS: dict[tuple[str, str], tuple[Callable[[str], bool], str]] = {
    ("cors", "allowed_origin"): (
        is_given,
        "no Cross-Origin headers are sent; a proxy in front of the service can add them",
    ),
    ("api", "use_forwarded_for"): (
        is_true,
        "the client's address is taken from the connection; set [oslo_middleware]"
        " enable_proxy_headers_parsing if a proxy of yours is in front",
    ),
    ("DEFAULT", "use_forwarded_for"): (
        is_true,
        "the client's address is taken from the connection; set [oslo_middleware]"
        " enable_proxy_headers_parsing if a proxy of yours is in front",
    ),
    ("wsgi", "api_paste_config"): (
        _other_pipeline,
        "there is no paste pipeline here, so a filter that was added to Nova's is not run; put what"
        " it does into a proxy in front",
    ),
    ("wsgi", "wsgi_log_format"): (
        is_not(
            '%(client_ip)s "%(request_line)s" status: %(status_code)s'
            " len: %(body_length)s time: %(wall_seconds).7f"
        ),
        "the access log has one form (docs/names.md); [firstlight] access_log says where it goes",
    ),
    ("wsgi", "client_socket_timeout"): (
        is_not("900"),
        "connections have limits of their own, which keep slow clients from harming others",
    ),
    ("wsgi", "max_header_line"): (is_not("16384"), "a request's head may have 64 KiB"),
    ("wsgi", "default_pool_size"): (is_not("1000"), "see [firstlight] cold_threads and cold_queue"),
    ("DEFAULT", "backdoor_port"): (is_not("none"), "there is no eventlet backdoor"),
    ("DEFAULT", "backdoor_socket"): (is_not("none"), "there is no eventlet backdoor"),
    ("oslo_reports", "log_dir"): (is_not("none"), _REPORTS),
    ("oslo_reports", "file_event_handler"): (is_not("none"), _REPORTS),
    **{
        (group, name): entry
        for group in ("database", "api_database")
        for name, entry in _DATABASE.items()
    },
}
