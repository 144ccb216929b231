"""The command ``pollinate``."""

import sys

from firstlight.cli.stand_in import pollinate


def main() -> int:
    """Serve until told to stop; returns the exit code."""
    return pollinate()


if __name__ == "__main__":
    sys.exit(main())
