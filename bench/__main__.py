"""Measure and print, side by side, in one run. Nothing here passes or fails: it tells."""

import argparse
import shutil
import sys
import tempfile
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

PROGRAMS = ("wrk", "nginx", "haproxy", "taskset")
YARDSTICK = "bench.yardstick"
# Each has `run(directory, args)`, and makes the environments that it needs.
SECTIONS = {
    "metadata": "bench.metadata_bench",
    "nova": "bench.nova_bench",
    "drive": "bench.drive_bench",
    "vendordata": "bench.vendordata_bench",
    "agent": "bench.agent_bench",
    "relay": "bench.relay_bench",
}


def numbers(text: str) -> list[int]:
    """Numbers above 0 with commas between."""
    found = [int(number) for number in text.split(",")]
    if min(found) < 1:
        raise ValueError(text)
    return found


def main() -> int:
    """Run the sections that are named, or all of them."""
    sys.path.insert(0, str(ROOT / "tests"))  # real Nova is made and started as the tests do it
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=SECTIONS, help="a section; all if none")
    parser.add_argument("--rounds", type=int, default=3, help="of which the median is told")
    parser.add_argument("--seconds", type=int, default=3, help="of each load")
    parser.add_argument("--instances", type=int, default=10_000, help="in the store")
    parser.add_argument(
        "--networks",
        type=numbers,
        default=[1, 50, 500],
        help="that the relay serves, such as 1,50,500; beyond 50 only its memory is measured",
    )
    args = parser.parse_args()
    absent = [program for program in PROGRAMS if shutil.which(program) is None]
    if absent:
        print(f"bench: not installed: {', '.join(absent)}; as root, `make system-deps`")
        return 1
    wanted = {name: SECTIONS[name] for name in args.only or SECTIONS}
    with tempfile.TemporaryDirectory(prefix="firstlight-bench-") as directory:
        for name, module in {"yardstick": YARDSTICK, **wanted}.items():
            here = Path(directory, name)
            here.mkdir()
            import_module(module).run(here, args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
