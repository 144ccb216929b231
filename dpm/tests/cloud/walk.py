"""Doing what a page says: its commands typed in their order."""

import time
from dataclasses import dataclass

from cloud import page
from cloud.client import Client, CommandFailed
from support.servers.databases import eventually

_PAUSE = 1  # second before a person types it again
PATIENCE = 300  # seconds; on a busy machine everything here waits for everything else


@dataclass(frozen=True)
class Step:
    """A command of the page, and what it printed at last."""

    shown: page.Shown
    printed: str

    def missing(self) -> list[str]:
        """What the page shows and it did not print."""
        return page.missing(self.shown.printed, self.printed)


def walk(client: Client, commands: list[page.Shown]) -> list[Step]:
    """Type them, up to the first that does not print what the page shows.

    What only shows something is typed again until it does, or patience ends.
    """
    steps: list[Step] = []
    for shown in commands:
        steps.append(_until_shown(client, shown))
        if steps[-1].missing():
            break
    return steps


def _until_shown(client: Client, shown: page.Shown) -> Step:
    steps = [_type(client, shown)]
    if {"list", "show"} & set(shown.line.split()):

        def as_shown() -> bool:
            if steps[-1].missing():
                time.sleep(_PAUSE)
                steps.append(_type(client, shown))
            return not steps[-1].missing()

        eventually(as_shown, PATIENCE)
    return steps[-1]


def _type(client: Client, shown: page.Shown) -> Step:
    try:
        return Step(shown, client.sh(shown.line))
    except CommandFailed as reason:
        return Step(shown, str(reason))
