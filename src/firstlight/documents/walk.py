"""Every path of an instance, found the way a guest finds them: by reading the listings."""

from collections.abc import Iterator

from firstlight.documents.tree import Documents

Path = tuple[str, ...]

_OPENSTACK: Path = ("openstack", "latest")
_EC2: Path = ("latest",)


def walk(documents: Documents) -> Iterator[Path]:
    """The leaves of the latest version of both trees, OpenStack first."""
    for name in _listing(documents, _OPENSTACK):
        yield (*_OPENSTACK, name)
    yield from _descend(documents, _EC2)


def _descend(documents: Documents, directory: Path) -> Iterator[Path]:
    for entry in _listing(documents, directory):
        # ``0=mykey`` is listed where the directory is called ``0``.
        name, is_key, _ = entry.partition("=")
        if is_key or entry.endswith("/"):
            yield from _descend(documents, (*directory, name.removesuffix("/")))
        else:
            yield (*directory, entry)


def _listing(documents: Documents, directory: Path) -> list[str]:
    document = documents.get(directory)
    return document.head.decode().split("\n") if document else []
