"""Configuration files with mistakes: lines dropped, doubled, misspelt, emptied."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from hypothesis import strategies as st

from deployments.deployment import NAMES, Deployment, load


class Mistake(NamedTuple):
    """One of `KINDS`, in one line; `place` says which letters of it."""

    kind: str
    line: int
    place: int


KINDS = ("drop", "double", "misspell", "empty")


class Mistaken(NamedTuple):
    """A deployment's files with mistakes in them, by their names below /."""

    deployment: Deployment
    service: str
    mistakes: tuple[Mistake, ...]

    def texts(self) -> dict[Path, str]:
        """The files' texts; each mistake is in the line that it names, counted over all files."""
        files = self.deployment.files_of(self.service)
        lines = [(file, line) for file in files for line in file.read_text().splitlines()]
        for mistake in sorted(self.mistakes, key=lambda one: -one.line):
            number = mistake.line % len(lines)
            file, line = lines[number]
            lines[number : number + 1] = [(file, each) for each in _made(line, mistake)]
        found = dict.fromkeys(files, "")
        for file, line in lines:
            found[file] += line + "\n"
        return found


def _made(line: str, mistake: Mistake) -> list[str]:
    name, equals, value = line.partition("=")
    if mistake.kind == "drop":
        return []
    if mistake.kind == "double":
        return [line, line]
    if mistake.kind == "empty":
        return [f"{name}{equals}"]
    letters = name.rstrip()
    if len(letters) < 3:
        return [line]
    at = mistake.place % (len(letters) - 1)
    swapped = letters[:at] + letters[at + 1] + letters[at] + letters[at + 2 :]
    return [f"{swapped} {equals}{value}"]


def mistaken(service: str, names: Sequence[str] = NAMES) -> st.SearchStrategy[Mistaken]:
    """Any deployment's files of a service, with one to three mistakes."""
    number = st.integers(0, 10_000)
    return st.builds(
        Mistaken,
        st.sampled_from([each for each in map(load, names) if each.files_of(service)]),
        st.just(service),
        st.lists(
            st.builds(Mistake, st.sampled_from(KINDS), number, number), min_size=1, max_size=3
        ).map(tuple),
    )


def write(texts: dict[Path, str], home: Path) -> list[Path]:
    """The files in `home`, in the order in which they are read."""
    written = []
    for number, (file, text) in enumerate(texts.items()):
        folder = home / str(number)
        folder.mkdir(exist_ok=True)
        path = folder / file.name
        path.write_text(text)
        written.append(path)
    return written
