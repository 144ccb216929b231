"""``static_map``: what an operator's file says of instances that match.

The file is a YAML list of rules, see :mod:`.rules`. It is read again when it changes; a new version
with a mistake in it is refused, and the last good one stays.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from oslo_config import cfg

from firstlight.conf import ConfigError
from firstlight.vendordata.contract import Clients, Context, Provider
from firstlight.vendordata.providers.static_map.reading import RulesInvalid
from firstlight.vendordata.providers.static_map.rules import answer
from firstlight.vendordata.providers.static_map.watched import WatchedRules


class StaticMap(Provider):
    """The data of every rule that matches, merged in order."""

    options = (
        cfg.StrOpt("file", help="The YAML file with the rules.", required=True),
        cfg.IntOpt(
            "max_age",
            default=60,
            min=0,
            help="Seconds for which an answer may be kept; so long an edit may take to show.",
        ),
        cfg.BoolOpt(
            "confidential",
            default=False,
            help="Whether answers must not leave the memory of the service that asked.",
        ),
    )

    def __init__(self, rules: WatchedRules, *, max_age: int, confidential: bool) -> None:
        self._rules = rules
        self.max_age = max_age
        self.confidential = confidential

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts.GroupAttr, clients: Clients) -> Self:  # noqa: ARG003  the caller's signature
        """See :class:`Provider`."""
        if not conf.file:
            raise ConfigError("file is not set: it names the YAML file with the rules")
        try:
            rules = WatchedRules(Path(conf.file))
        except RulesInvalid as error:
            raise ConfigError(str(error)) from error
        return cls(rules, max_age=conf.max_age, confidential=conf.confidential)

    def provide(self, context: Context) -> Mapping[str, Any] | None:
        """See :class:`Provider`."""
        return answer(self._rules.current(), context)
