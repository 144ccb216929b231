"""A package with a new provider, whose tests pass before anything is changed."""

import argparse
import keyword
import re
import shutil
import sys
import tempfile
from importlib.resources import files
from pathlib import Path
from string import Template

from firstlight.vendordata.loading import available

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")

# What is written, and from which file of the folder beside this module.
_FILES = {
    "pyproject.toml": "pyproject.template",
    "README.md": "readme.template",
    "vendordata.conf": "conf.template",
    "src/firstlight_${name}/__init__.py": "package.template",
    "src/firstlight_${name}/provider.py": "provider.template",
    "tests/test_${name}.py": "test.template",
}


class CannotMake(Exception):
    """It cannot be made; why, and what would do."""


def run(args: argparse.Namespace) -> int:
    """Make it; returns 1 if that cannot be."""
    target = args.directory or Path(f"firstlight-{args.name}")
    try:
        make(args.name, target)
    except (CannotMake, OSError) as error:
        print(f"firstlight provider new: {error}", file=sys.stderr)
        return 1
    print(
        f"{target} is ready. Next:\n\n  cd {target}\n  pip install --editable '.[test]'\n  pytest"
    )
    return 0


def make(name: str, target: Path) -> None:
    """Write a package with the provider `name` to `target`, whole or not at all.

    Raises:
        CannotMake: the name will not do, or there is something at `target`.
    """
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise CannotMake(f"{name} will not do as a name; say lower-case letters, digits and _")
    if name in available():
        raise CannotMake(f"a provider named {name} is installed already; choose another name")
    if target.exists():
        raise CannotMake(f"{target} exists already; name another with --directory")
    target.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        _write(name, made)
        made.chmod(0o755)  # mkdtemp's is for secrets
        made.rename(target)
    except OSError:
        shutil.rmtree(made, ignore_errors=True)
        raise


def _write(name: str, directory: Path) -> None:
    # With a second word: a provider named `context` must not hide what the module imports.
    class_name = "".join(part.title() for part in name.split("_")) + "Provider"
    words = {"name": name, "class_name": class_name}
    for path, template in _FILES.items():
        target = directory / Template(path).substitute(words)
        target.parent.mkdir(parents=True, exist_ok=True)
        text = files(__package__).joinpath("template", template).read_text(encoding="utf-8")
        target.write_text(Template(text).substitute(words), encoding="utf-8")
