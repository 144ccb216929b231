"""``python -m firstlight_dpm.mock``: an HMC to test against."""

import argparse
import sys

from firstlight_dpm.mock.command import configure, run


def main() -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m firstlight_dpm.mock", description="Serve an HMC to test against."
    )
    configure(parser)
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
