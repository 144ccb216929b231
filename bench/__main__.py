"""Measure and print, side by side, in one run. Nothing here passes or fails: it tells."""

import argparse
import sys
import tempfile
from pathlib import Path

from bench import metadata_bench

SECTIONS = {"metadata": metadata_bench.run}


def main() -> int:
    """Run the sections that are named, or all of them."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("section", nargs="*", help=f"of {', '.join(SECTIONS)}; all if none")
    parser.add_argument("--rounds", type=int, default=3, help="of which the median is told")
    parser.add_argument("--seconds", type=int, default=3, help="of each load")
    parser.add_argument("--instances", type=int, default=10_000, help="in the store")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="firstlight-bench-") as directory:
        for name in args.section or SECTIONS:
            SECTIONS[name](Path(directory), args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
