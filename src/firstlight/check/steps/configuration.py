"""The first steps of any road: the files, and what of them has no effect."""

from collections.abc import Iterator

from oslo_config import cfg

from firstlight.check.step import Finding, OptionLocation, Step, broken, ok, warning
from firstlight.conf import ConfigError, misspelt, moved_options, nova_release
from firstlight.conf.names import Moved
from firstlight.conf.reading.misspelt import Misspelt
from firstlight.conf.reading.unhonoured import unhonoured
from firstlight.conf.reading.written import files_of

NAME = "configuration"


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
        for one in misspelt(conf):
            yield _misspelt(one)

    return Step(NAME, look)


def _misspelt(one: Misspelt) -> Finding:
    stands = one.written
    asked = f"did you mean {one.meant}?" if one.meant else "is it misspelt?"
    return warning(
        f"[{stands.group}] {stands.name} is no option, so it has no effect",
        OptionLocation(stands.file, f"[{stands.group}] {stands.name}"),
        remedy=f"{asked} The sample files under etc/firstlight have every option",
    )


def release(conf: cfg.ConfigOpts) -> Step:
    """For which Nova the files are read, and what depends on that."""

    def look() -> Iterator[Finding]:
        found = nova_release(conf)
        if conf.firstlight.nova_release is not None:
            why = "[firstlight] nova_release says so"
        elif found.because is not None:
            one = found.because
            why = f"no later one takes [{one.group}] {one.name}, which is in {one.file}"
        else:
            why = "the newest that is known; no name in the files is an older one's"
        yield ok(f"the names of options are those of Nova {found.number}: {why}")
        for gone in moved_options(conf):
            yield _moved(gone)

    return Step("Nova's release", look)


def _moved(one: Moved) -> Finding:
    stands = one.written
    effect = "is taken" if one.taken else "has no effect"
    return warning(
        f"[{stands.group}] {stands.name} {effect}: Nova took it there until {one.last()}, and "
        "later releases ignore it",
        OptionLocation(stands.file, f"[{stands.group}] {stands.name}"),
        remedy=f"write it as {one.new_place()}, or set [firstlight] nova_release to the release"
        " that the file was written for",
    )


def in_vain(conf: cfg.ConfigOpts) -> Step:
    """What Nova's metadata service would do at the file's word, and ours does not."""

    def look() -> Iterator[Finding]:
        found = unhonoured(conf)
        if not found:
            yield ok("nothing that Nova's metadata service would do is left undone")
        for one in found:
            yield warning("has no effect", OptionLocation(one.file, one.option), remedy=one.why)

    return Step("options in vain", look)
