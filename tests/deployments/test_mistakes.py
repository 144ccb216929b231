"""Deployments' files with mistakes in them: read by real Nova and by ours, checked, and served.

No mistake makes a traceback, or makes ours serve what Nova would not; what is misspelt is named.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from oslo_config import cfg

from deployments.deployment import options_of
from deployments.mutating import Mistaken, mistaken, write
from firstlight import conf as configuration
from firstlight.check.step import Finding
from firstlight.check.steps import configuration as check
from firstlight.conf import ConfigError
from firstlight.conf.source import lost_databases, reads_nova
from lab.environment import needed
from lab.uwsgi import environment_of

EXAMPLES = 10_000 if os.environ.get("FIRSTLIGHT_SOAK") else 1000  # of each service
SWAPPED = 2  # letters
LONG = 6  # letters; of a shorter name too little is right
# Older names are taken where no file says for which Nova it is; the one asked here is the newest.
RELEASE = "[firstlight]\nnova_release = 34\n"
NOVAS = ("DEFAULT", "api", "api_database", "database", "neutron", "cache", "oslo_middleware")
# Their defaults are of the machine, of the libraries' loggers, or where Nova is installed.
_NOT_COMPARED = {
    f"DEFAULT.{name}"
    for name in (
        "default_log_levels",
        "host",
        "my_ip",
        "pybasedir",
        "injected_network_template",
        "state_path",
    )
}
_MANY = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],  # to make an example smaller takes minutes, and it is small
)


class Reader:
    """Real Nova's reader, in a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        options = _compared()
        self._say(options)

    def _say(self, value: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(value) + "\n")
        self._process.stdin.flush()

    def read(self, files: list[Path]) -> dict[str, Any]:
        """What it reads of them."""
        self._say([str(file) for file in files])
        assert self._process.stdout is not None
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


def _compared() -> list[tuple[str, str]]:
    """Nova's options that our service reads as well."""
    return [
        (section, option.dest)
        for module in configuration.SERVICES["metadata"]
        for section, options in configuration._sections(module)
        for option in options
        if section in NOVAS and f"{section}.{option.dest}" not in _NOT_COMPARED
    ]


@pytest.fixture(scope="module")
def nova() -> Iterator[Reader]:
    """Asked about many files, one after another."""
    environment = needed()
    process = subprocess.Popen(
        [environment / "bin" / "python", "-P", Path(__file__).with_name("inside_reader.py")],
        env=environment_of(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield Reader(process)
    finally:
        process.kill()
        process.communicate()


def ours(files: list[Path], service: str) -> cfg.ConfigOpts | ConfigError:
    """What our service reads of them, or the sentence in which it refuses."""
    try:
        return configuration.load(service, [str(file) for file in files])
    except ConfigError as error:
        assert "Traceback" not in str(error)
        assert "\n" not in str(error).strip()
        return error


@_MANY
@given(files=mistaken("metadata"))
def test_the_metadata_service_reads_what_nova_reads(files: Mistaken, nova: Reader) -> None:
    """The same values from the same source, or neither starts."""
    with TemporaryDirectory() as home:
        written = write(files.texts(), Path(home))
        written.append(Path(home, "release.conf"))
        written[-1].write_text(RELEASE)
        theirs, mine = nova.read(written), ours(written, "metadata")
        if "error" in theirs:
            assert isinstance(mine, ConfigError), theirs
        elif isinstance(mine, ConfigError):
            assert is_refused(theirs["values"], str(mine)), mine
        elif lost := lost_databases(mine):  # the start is refused with it, and check says it
            assert is_refused(theirs["values"], lost)
        else:
            assert reads_nova(mine), "ours would serve its own store"
            assert differences(mine, theirs["values"]) == {}
            said = "\n".join(map(str, findings(mine)))
            assert [name for name in misspelt(files) if name not in said] == []


def misspelt(files: Mistaken) -> list[str]:
    """Names with two letters changed round, of options that the service reads in that section."""
    compared = set(_compared())
    found = []
    for file, text in files.texts().items():
        right = {(section, name) for section, name, _ in options_of(file)}
        for section, name in sorted(written_in(text) - right):
            for other_section, other in right:
                if (
                    other_section == section
                    and len(other) >= LONG
                    and changed_round(other, name)
                    and (section, other) in compared
                ):
                    found.append(name)
    return found


def changed_round(right: str, wrong: str) -> bool:
    """Whether one pair of letters makes the difference."""
    pairs = [pair for pair in zip(right, wrong, strict=False) if pair[0] != pair[1]]
    return len(right) == len(wrong) and len(pairs) == SWAPPED and pairs[0] == pairs[1][::-1]


def written_in(text: str) -> set[tuple[str, str]]:
    with TemporaryDirectory() as home:
        path = Path(home, "x.conf")
        path.write_text(text)
        return {(section, name) for section, name, _ in options_of(path)}


def is_refused(values: dict[str, Any], sentence: str) -> bool:
    """Whether Nova could not serve with these either: it has no database, or a value is bad.

    Nova reads some options where it uses them, or had them until it was WSGI alone; those are named
    in the `sentence` in which ours refuses.
    """
    bad = any(isinstance(value, dict) for value in values.values())
    elsewhere = [name for name, value in values.items() if value == "no such option"]
    named = any(name.rpartition(".")[2] in sentence for name in elsewhere)
    return bad or named or not values["api_database.connection"]


def differences(mine: cfg.ConfigOpts, theirs: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Options that have another value here than in Nova."""
    found = {}
    for name, value in theirs.items():
        section, _, option = name.partition(".")
        here = (mine if section == "DEFAULT" else mine[section])[option]
        if here is not None and not isinstance(here, bool | int | float):
            here = str(here)
        if name == "cache.backend" and isinstance(value, dict):
            continue  # Nova ends; ours says so, and serves without a shared cache
        if value not in ("no such option", here):
            found[name] = (here, value)
    return found


def findings(mine: cfg.ConfigOpts) -> list[Finding]:
    """What check says of the files, without asking anybody."""
    return [
        finding for step in (check.readable(mine), check.in_vain(mine)) for finding in step.look()
    ]


@_MANY
@given(files=mistaken("agent"))
def test_the_agent_reads_or_refuses_in_a_sentence(files: Mistaken) -> None:
    """No mistake makes a traceback, and none makes it find guests elsewhere."""
    with TemporaryDirectory() as home:
        written = write(files.texts(), Path(home))
        mine = ours(written, "agent")
        if isinstance(mine, ConfigError):
            return
        said = {(s, n): v for file in written for s, n, v in options_of(file)}
        assert mine.metadata_proxy_shared_secret == said.get(
            ("DEFAULT", "metadata_proxy_shared_secret"), ""
        )
        assert findings(mine)
