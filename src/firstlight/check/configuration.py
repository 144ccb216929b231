"""The first steps of any road: the files, and what of them has no effect."""

from collections.abc import Iterator

from oslo_config import cfg

from firstlight.check.step import Finding, Place, Step, broken, ok, warning
from firstlight.conf import ConfigError, known_names
from firstlight.conf.unhonoured import strangers, unhonoured
from firstlight.conf.written import files_of

NAME = "configuration"
_OURS = ("firstlight", "store")  # sections in which a name that nobody has is misspelt


def unreadable(error: ConfigError) -> Step:
    """The only step there is if the configuration cannot be read."""
    remedy = "correct the option or the file that is named; the service does not start either"
    return Step(NAME, lambda: [broken(str(error), remedy=remedy)])


def readable(conf: cfg.ConfigOpts) -> Step:
    """Every option was read and has a value it can have."""

    def look() -> Iterator[Finding]:
        files = files_of(conf)
        if not files:
            yield warning(
                "no file is read: every option has its default",
                remedy="name one with --config-file",
            )
        else:
            yield ok(", ".join(files))
        for one in strangers(conf, known_names(*_OURS)):
            yield warning(
                f"[{one.group}] {one.name} is no option, so it has no effect",
                Place(one.file, f"[{one.group}] {one.name}"),
                remedy="is it misspelt? the sample files under etc/firstlight have every option",
            )

    return Step(NAME, look)


def in_vain(conf: cfg.ConfigOpts) -> Step:
    """What Nova's metadata service would do at the file's word, and ours does not."""

    def look() -> Iterator[Finding]:
        found = unhonoured(conf)
        if not found:
            yield ok("nothing that Nova's metadata service would do is left undone")
        for one in found:
            yield warning("has no effect", Place(one.file, one.option), remedy=one.why)

    return Step("options in vain", look)
