"""The words of the command line, in any order."""

from itertools import permutations
from pathlib import Path

from guest_tools.pythons import Guest


def test_options_behind_the_path(each_guest: Guest, tmp_path: Path) -> None:
    """An option counts wherever it stands: here nobody but the drive is asked."""
    latest = tmp_path / "openstack/latest"
    latest.mkdir(parents=True)
    (latest / "meta_data.json").write_text('{"uuid": "6a1f"}')
    options = (("--from", "drive"), ("--drive", str(tmp_path)), ("meta_data.json#/uuid",))
    for order in permutations(options):
        done = each_guest.run("get", *(word for words in order for word in words))
        assert (done.returncode, done.stdout, done.stderr) == (0, "6a1f\n", ""), order


def test_words_too_many(each_guest: Guest) -> None:
    """What would be ignored is refused: a second path, a command without --watch."""
    for words in (("a.json", "b.json"), ("a.json", "--", "reload")):
        assert each_guest.run("get", *words).returncode == 2, words
    needless = each_guest.run("get", "--watch", "a.json", "--")
    assert (needless.returncode, needless.stdout) == (1, "")
    assert "--watch needs a command" in needless.stderr
