"""What can go wrong, and what a shell script sees of it."""

DONE = 0  # also: there is nothing to be done here
FAILED = 1
USAGE = 2  # argparse's
COULD_NOT_ASK = 3
NOT_THERE = 4
EMPTY = 5


class GuestError(Exception):
    """Something did not work; the message says what, and what to do."""

    code = FAILED


class CouldNotAsk(GuestError):
    """Nobody could be asked: this says nothing about the answer."""

    code = COULD_NOT_ASK


class NotThere(GuestError):
    """The question was answered: there is no such thing."""

    code = NOT_THERE


class Empty(GuestError):
    """The question was answered, with an empty answer."""

    code = EMPTY


class CommandFailed(GuestError):
    """A program is missing, or said that it failed."""
