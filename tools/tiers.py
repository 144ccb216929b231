"""Run tiers of checks and tests, then say in one place what came of them.

``tools/tiers.py check`` runs the quick tiers, ``all`` what a change must pass, or name them.
``large MINUTES`` runs the large ones, each with a summary of its own, as far as they fit into so
many minutes; those that do not are named.

Two tiers run at a time, since most of the time tests wait for a server to start; what a tier says
is printed when it ends. FIRSTLIGHT_LANES=1 runs one after the other, and lets them speak at once.
The last lines are one summary; the exit code is 0 only if nothing failed and something ran.
"""

import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import IO, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"


class Tier(NamedTuple):
    """`commands` must succeed; then pytest runs `tests`, which need what `builder` makes.

    A second pytest runs those `apart`. With `inside`, that environment's own Python runs them, in
    place of .venv's. A large one takes so many `minutes` on two cores, from nothing.
    """

    promise: str
    commands: tuple[tuple[str, ...], ...] = ()
    tests: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    builder: str = ""
    inside: bool = False
    minutes: int = 0


UNUSED = ("-p", "no:schemathesis")  # a plug-in that takes a second to load
# Compiled before the tests, which start these some hundred times, and write no bytecode: a module
# that a test writes twice within a second would be taken from the first one's.
COMPILED = ("src", "compat/pollinate/src", "dpm/src", "dpm/shim")
# Pytest itself keeps what it has made of the tests' modules.
PYTEST = "import sys, pytest; sys.dont_write_bytecode = False; sys.exit(pytest.main())"
NEUTRONS = ("network", "providers", "relay")  # the folders of tests/lab that start a Neutron

TIERS = {
    "style": Tier(
        "formatted, linted, typed, borders kept",
        (
            ("ruff", "format", "--check", "--quiet", "."),
            ("ruff", "check", "--quiet", "."),
            ("mypy",),
            ("mypy", "guest/firstlight_guest"),
            (
                "vermin",
                "--quiet",
                "--no-tips",
                "--target=3.6-",
                "--violations",
                "guest/firstlight_guest",
            ),
            ("lint-imports",),
        ),
    ),
    # Halves by the names of folders, so that they run at the same time.
    "unit": Tier(
        "the pure parts, and golden answers of real Nova",
        tests=("tests/unit", "--ignore-glob=tests/unit/[o-z]*", *UNUSED),
    ),
    "unit-o-z": Tier(
        "the rest of them", tests=("tests/unit", "--ignore-glob=tests/unit/[a-n]*", *UNUSED)
    ),
    "types": Tier(
        "what the tests and the bench call is there",
        (("mypy", "--config-file=tests/mypy.ini"),),
    ),
    "integration": Tier("each part against real servers", tests=("tests/integration",)),
    "conformance": Tier("HTTP conversations, row by row", tests=("tests/conformance",)),
    "guests": Tier("real cloud-init in a network namespace", tests=("tests/guests",)),
    "guest_tools": Tier(
        "the tools inside the guest, on every Python here", tests=("tests/guest_tools",)
    ),
    "fuzz": Tier("no input makes a 500, a hang or a leak", tests=("tests/fuzz",)),
    "lab": Tier(
        "real Nova and Keystone",
        tests=("tests/lab", *(f"--ignore=tests/lab/{name}" for name in NEUTRONS)),
        builder="tools/lab-env",
    ),
    "lab-neutron": Tier(
        "real Neutron, its agents, and a whole cloud",
        tests=tuple(f"tests/lab/{name}" for name in NEUTRONS),
        builder="tools/lab-env",
    ),
    "dpm": Tier(
        "IBM Z in DPM mode, inside real Nova and Neutron",
        tests=("dpm/tests", "--ignore-glob=*/compute"),
        # Nova and Neutron want options and a threading of their own.
        apart=tuple(f"dpm/tests/{kind}/compute" for kind in ("unit", "integration", "lab")),
        builder="tools/dpm-env",
        inside=True,
    ),
    "docs": Tier("documented commands, samples and units are right", tests=("tests/docs",)),
}
QUICK = ("style", "unit", "unit-o-z")
# The first two need no environment, which may have to be installed first; then the longest.
FIRST = ("integration", "guests", "dpm", "lab-neutron", "lab", "guest_tools")
# Each has a target of its own, `make test-NAME`; in this order they are run while there is time.
LARGE = {
    "deployments": Tier(
        "configuration files as deployers write them, beside real Nova's services",
        tests=("tests/deployments",),
        builder="tools/lab-env",
        minutes=10,
    ),
    "systemd": Tier(
        "the shipped units under a real systemd: reloads, crashes, upgrades, ends",
        tests=("tests/systemd",),
        minutes=3,
    ),
    "releases": Tier("older Novas beside ours, on MariaDB", tests=("tests/releases",), minutes=13),
    "empty-root": Tier(
        "the README's commands on a machine with git, make and python3-venv",
        tests=("tests/empty_root",),
        minutes=15,
    ),
}
EVERY = TIERS | LARGE


# So many failed tests of a tier, at most, are run a second time.
AGAIN = 8


class Outcome(NamedTuple):
    """What came of one tier; `unsteady` of the passed failed at first."""

    passed: int
    failed: int
    skipped: int
    unsteady: int
    seconds: float


def main(names: list[str]) -> int:
    """Run the tiers that are named; returns the exit code."""
    if names[:1] == ["large"]:
        return run_large(float(names[1]) if names[1:] else float("inf"))
    wanted = QUICK if names == ["check"] else tuple(TIERS) if names in (["all"], []) else names
    unknown = [name for name in wanted if name not in EVERY]
    if unknown:
        print(f"no such tier: {', '.join(unknown)}; there are: {', '.join(EVERY)}")
        return 2
    call([BIN / "python", "-m", "compileall", "-q", *COMPILED], sys.stdout)
    with built_meanwhile(EVERY[name].builder for name in wanted):
        outcomes = run_all(wanted, int(os.environ.get("FIRSTLIGHT_LANES", "2")))
    print()
    for name in wanted:
        outcome = outcomes[name]
        print(
            f"{name:12} {outcome.passed:5} passed {outcome.failed:3} failed "
            f"{outcome.skipped:3} skipped {outcome.seconds:6.0f} s   {EVERY[name].promise}"
        )
    passed, failed, skipped, unsteady = (sum(o[i] for o in outcomes.values()) for i in range(4))
    if unsteady:
        print(f"unsteady: {unsteady} of the passed failed at first; each tier above names its own")
    print(f"total: {passed} passed, {failed} failed, {skipped} skipped")
    return 0 if passed and not failed else 1


def run_large(minutes: float) -> int:
    """Run the large tiers that fit into so many minutes; returns the exit code."""
    began, failed, left_out = time.monotonic(), False, []
    for name, tier in LARGE.items():
        if (time.monotonic() - began) / 60 + tier.minutes > minutes:
            left_out.append(f"make test-{name}")
        else:
            failed = main([name]) != 0 or failed
    if left_out:
        print(f"left out, for they do not fit into {minutes:.0f} minutes: {', '.join(left_out)}")
    return int(failed)


@contextmanager
def built_meanwhile(builders: Iterable[str]) -> Iterator[None]:
    """Environments take minutes to install, so that begins with the first tier.

    Whoever needs one calls its builder again, which waits for this one and says what went wrong.
    """
    building = [
        subprocess.Popen([builder], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for builder in dict.fromkeys(filter(None, builders))
    ]
    try:
        yield
    finally:
        for process in building:
            process.wait()


def run_all(names: Sequence[str], lanes: int) -> dict[str, Outcome]:
    """Run tiers, so many at a time, in the order of FIRST."""
    if lanes == 1 or len(names) == 1:
        return {name: run(name, EVERY[name], sys.stdout) for name in names}
    late = len(FIRST)
    rank = {name: number for number, name in enumerate(FIRST)}
    order = sorted(names, key=lambda name: rank.get(name, late))
    free = SimpleQueue[int]()
    for lane in range(lanes):
        free.put(lane)

    def run_next(name: str) -> Outcome:
        lane = free.get()
        try:
            return run_quietly(name, f"{lane}/{lanes}")
        finally:
            free.put(lane)

    with ThreadPoolExecutor(lanes) as pool:
        return dict(zip(order, pool.map(run_next, order), strict=True))


def run_quietly(name: str, lane: str) -> Outcome:
    """Run one tier, and print what it said in one piece.

    Tests take TCP ports of their `lane` ("0/2"), so that two tiers never take the same.
    """
    print(f"-- {name} begins", flush=True)
    with tempfile.TemporaryFile("w+", errors="replace") as said:
        outcome = run(name, EVERY[name], said, FIRSTLIGHT_LANE=lane)
        said.seek(0)
        print(said.read(), end="", flush=True)
    return outcome


def run(name: str, tier: Tier, out: IO[str], **variables: str) -> Outcome:
    """Run one tier and count; `out` is a real file, to which its programs write."""
    print(f"\n== {name}: {tier.promise}", file=out, flush=True)
    began = time.monotonic()
    good = [call([BIN / command[0], *command[1:]], out) == 0 for command in tier.commands]
    counts = [Counts(passed=sum(good), failed=len(good) - sum(good))]
    counts += [
        run_pytest(interpreter(tier, out), tests, out, **variables)
        for tests in filter(None, (tier.tests, tier.apart))
    ]
    passed, failed, skipped, unsteady = map(sum, zip(*counts, strict=True))
    return Outcome(passed, failed, skipped, unsteady, time.monotonic() - began)


def call(command: Sequence[str | Path], out: IO[str], **variables: str) -> int:
    """The exit code of a program that writes to `out`."""
    return subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | variables,
        stdout=out,
        stderr=subprocess.STDOUT,
        check=False,
    ).returncode


def interpreter(tier: Tier, out: IO[str]) -> Path:
    """The Python that runs the tier's tests; one that does not exist if it cannot be made."""
    if not tier.inside:
        return BIN / "python"
    made = subprocess.run(
        [tier.builder], cwd=ROOT, check=False, stdout=subprocess.PIPE, stderr=out, text=True
    )
    return Path(made.stdout.strip() or "no-environment") / "bin" / "python"


class Counts(NamedTuple):
    """What came of one pytest."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    unsteady: int = 0


def run_pytest(python: Path, tests: Sequence[str], out: IO[str], **variables: str) -> Counts:
    """Run tests; a run that breaks, or finds nothing to run, counts as one failed.

    Where a few fail they are run a second time, because a busy machine makes real servers late.
    What passes then is counted as passed and named as unsteady.
    """
    if not python.exists():
        print(f"{python} does not exist; the lines above say why", file=out, flush=True)
        return Counts(failed=1)
    with tempfile.TemporaryDirectory() as directory:
        kept = f"cache_dir={directory}/cache"
        command = [python, "-c", PYTEST, "-q", "-o", kept]
        report = Path(directory) / "report.xml"
        first = run_once([*command, *tests], report, out, **variables)
        if not 0 < first.failed <= AGAIN:
            return first
        print(f"-- a second time, the {first.failed} that failed:", file=out, flush=True)
        report.unlink(missing_ok=True)
        failures = ("-rA", "--last-failed", "--last-failed-no-failures=none")
        second = run_once([*command, *failures, *tests], report, out, **variables)
    if second.failed or not second.passed:
        return first
    print(f"-- unsteady: the {second.passed} above, which now passed", file=out, flush=True)
    return Counts(first.passed + first.failed, 0, first.skipped, second.passed)


def run_once(command: Sequence[str | Path], report: Path, out: IO[str], **variables: str) -> Counts:
    """One run of pytest, counted by the report that it writes."""
    code = call([*command, f"--junitxml={report}"], out, PYTHONDONTWRITEBYTECODE="1", **variables)
    if not report.exists():
        return Counts(failed=1)
    suite = next(ET.parse(report).iter("testsuite"))
    count, failures, errors, skipped = (
        int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")
    )
    failed = failures + errors
    if code != 0 and failed == 0:
        failed = 1
    return Counts(count - failures - errors - skipped, failed, skipped)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
