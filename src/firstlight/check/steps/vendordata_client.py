"""Vendor data, the asking side: the static file, the token, each target."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import cache, partial

from oslo_config import cfg

from firstlight.check.option_location import place
from firstlight.check.step import Finding, Step, broken, ok, warning
from firstlight.check.steps.keystone import roles, token
from firstlight.instance import Answer, Instance, State
from firstlight.vendordata.auth.caller_roles import in_words, reads_secrets
from firstlight.vendordata_client import (
    AuthMisconfigured,
    StaticJSON,
    StaticUnavailable,
    Target,
    open_session,
    parse,
    vendor_data,
)
from firstlight.vendordata_client.session import GROUP

TOKEN = "Keystone for targets"  # noqa: S105  (a step's name)
# Nobody's: a target that hands something out once must not do it because of us.
_NOBODY = Instance(
    uuid="00000000-0000-4000-8000-000000000000",
    project_id="0" * 32,
    name="firstlight-check",
    hostname="firstlight-check",
)


def steps(conf: cfg.ConfigOpts) -> Sequence[Step]:
    """What ``[api] vendordata_providers`` names."""
    found = []
    if "StaticJSON" in conf.api.vendordata_providers and conf.api.vendordata_jsonfile_path:
        found.append(Step("static vendor data", lambda: _static(conf)))
    if "DynamicJSON" in conf.api.vendordata_providers:
        found += _dynamic(conf)
    return found


def _static(conf: cfg.ConfigOpts) -> Iterator[Finding]:
    try:
        StaticJSON(conf.api.vendordata_jsonfile_path).value()
    except StaticUnavailable as error:
        yield broken(
            f"{error}: every document is answered with 500",
            place(conf, "api", "vendordata_jsonfile_path"),
            remedy="correct the file; it is seen without a restart",
        )
    else:
        yield ok(f"{conf.api.vendordata_jsonfile_path} is JSON")


def _dynamic(conf: cfg.ConfigOpts) -> list[Step]:
    targets = parse(conf.api.vendordata_dynamic_targets)
    ask = cache(partial(_answers, conf))  # all at once, as for a guest; one step starts it
    steps = [Step(TOKEN, lambda: _token(conf), seconds=15.0)]
    if not targets:
        steps.append(Step("targets", lambda: _none(conf)))
    seconds = conf.firstlight.vendordata_deadline + 3
    steps += [
        Step(f"target {target.name}", partial(_target, conf, target, ask), (TOKEN,), seconds)
        for target in targets
    ]
    return steps


def _none(conf: cfg.ConfigOpts) -> Iterator[Finding]:
    yield warning(
        "DynamicJSON is on, and there is no target to ask",
        place(conf, "api", "vendordata_dynamic_targets"),
        remedy="set it to name@url for each, or take DynamicJSON out of vendordata_providers",
    )


def _token(conf: cfg.ConfigOpts) -> Iterator[Finding]:
    try:
        session = open_session(conf, 1)
    except AuthMisconfigured as error:
        yield broken(str(error), place(conf, GROUP, "auth_type"), remedy="correct the option")
        return
    if session.auth is None:
        yield warning(
            "targets are called without a token: only such that let everybody in will answer",
            place(conf, GROUP, "auth_type"),
            remedy="set it to password, and give auth_url, username, password and project_name of a"
            " service user, with their domains",
        )
        return
    yield from token(conf, GROUP, session)
    seen = roles(session)
    if seen is not None and not reads_secrets(seen[0], system=seen[1], required=None):
        yield warning(
            "confidential providers of a Firstlight target answer 403 to this token, unless "
            f"[firstlight] required_roles there names one of its roles: {in_words(*seen)}",
            place(conf, GROUP, "username"),
            remedy="give the user the role service on its project",
        )


def _answers(conf: cfg.ConfigOpts) -> Mapping[str, Answer]:
    with closing(vendor_data(conf)) as vendor:
        return vendor.ask(_NOBODY)


def _target(
    conf: cfg.ConfigOpts, target: Target, ask: Callable[[], Mapping[str, Answer]]
) -> Iterator[Finding]:
    try:
        answer = ask()[target.name]
    except ValueError as error:
        yield broken(
            str(error),
            place(conf, "api", "vendordata_dynamic_targets"),
            remedy="correct the option that is named",
        )
        return
    if answer.state is State.FAILED:
        yield broken(
            f"{target.shown} {answer.reason}; asked about a server that does not exist",
            place(conf, "api", "vendordata_dynamic_targets"),
            remedy="see the target's log; `firstlight show UUID` asks about a real server",
        )
    else:
        said = "JSON" if answer.state is State.OK else "nothing"
        yield ok(f"{target.shown} answers {said} about a server that does not exist")
