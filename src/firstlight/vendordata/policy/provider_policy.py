"""On which terms a provider's answers are given; every provider's section has these options."""

from collections.abc import Iterable
from typing import Protocol

from msgspec import Struct
from oslo_config import cfg

from firstlight.conf import ConfigError
from firstlight.conf.full_list import full_list
from firstlight.vendordata.contract import Context

OPTIONS = (
    full_list(
        "allow_projects",
        default=[],
        help="Ids of the only projects whose instances are answered; empty: all. The project is "
        "the one that the request's body names, and the caller is believed: it keeps a provider "
        "from instances, not callers from a provider. For that see [firstlight] required_roles.",
    ),
    full_list(
        "allow_images",
        default=[],
        help="Ids of the only images whose instances are answered; empty: all. The image is the "
        "one that the request's body names, and the caller is believed. An instance that was "
        "booted from a volume has none.",
    ),
    cfg.BoolOpt(
        "shadow",
        default=False,
        help="Ask the provider and log what comes of it, but answer as if it were not there.",
    ),
    cfg.BoolOpt(
        "release_once",
        default=False,
        help="Answer each boot of an instance for `release_window` seconds from the first answer, "
        "and not afterwards. What counts as a boot is what Nova did (create, reboot, rebuild and "
        "so on); a reboot from inside does not.",
    ),
    cfg.FloatOpt(
        "release_window",
        default=600,
        min=1,
        help="Seconds in which a boot may ask again: cloud-init does so many times.",
    ),
)


class Withheld(Exception):
    """The instance gets nothing; why, in a sentence."""


class Release(Protocol):
    """When an answer may be given again."""

    def check(self, context: Context) -> None:
        """Raise :class:`Withheld` if it may not; ProviderFailed if that cannot be known."""

    def note(self, context: Context) -> None:
        """It was given, now."""


class ProviderPolicy(Struct, frozen=True, kw_only=True):
    """An empty `allow_…` allows all."""

    allow_projects: frozenset[str] = frozenset()
    allow_images: frozenset[str] = frozenset()
    shadow: bool = False
    release: Release | None = None

    def check(self, context: Context) -> None:
        """Before the provider is asked.

        Raises:
            Withheld: the instance is not to be answered.
            ProviderFailed: whether it is could not be found out.
        """
        if self.allow_projects and context.project_id not in self.allow_projects:
            raise Withheld("Its project is not in allow_projects.")
        if self.allow_images and context.image_id not in self.allow_images:
            raise Withheld("Its image is not in allow_images.")
        if self.release is not None:
            self.release.check(context)

    def given(self, context: Context) -> None:
        """After the provider has said something to be answered."""
        if self.release is not None:
            self.release.note(context)


def register(conf: cfg.ConfigOpts, names: Iterable[str]) -> None:
    """Make these options known in the sections of the providers `names`.

    Raises:
        ConfigError: one of them has a value it cannot have.
    """
    for name in names:
        group = f"provider:{name}"
        conf.register_group(cfg.OptGroup(group))
        try:
            conf.register_opts(OPTIONS, group=group)
            for option in OPTIONS:
                getattr(conf[group], option.dest)
        except (cfg.Error, ValueError) as error:
            raise ConfigError(f"section [{group}]: {error}") from error
