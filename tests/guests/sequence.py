"""What each version of cloud-init is known to ask; see sequences/README.md."""

from pathlib import Path

_DIRECTORY = Path(__file__).with_name("sequences")


def sequence(version: str, datasource: str) -> list[str]:
    """The requests of one boot, ``METHOD PATH STATUS`` each."""
    known = {
        _number(file.name.partition("-")[0]): file
        for file in _DIRECTORY.glob(f"*-{datasource}.txt")
    }
    newest = max(number for number in known if number <= _number(version))
    return known[newest].read_text().splitlines()


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
