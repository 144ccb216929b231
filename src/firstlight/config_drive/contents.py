"""Every file of a config drive: Nova's tree (metadata-api §5.1), from the documents HTTP serves."""

from collections.abc import Callable, Collection, Iterator, Mapping
from hashlib import shake_256

from firstlight.documents import AnswersNeeded, Document, Documents, versions
from firstlight.documents import seed as encoded_seed
from firstlight.instance import Answer

# [api] config_drive_skip_versions, which Nova applies to the EC2 tree alone.
EC2_SKIPPED = frozenset(versions.EC2[:-1])
SEED_LEAST = 32  # bytes; more than anyone guesses

Ask = Callable[[], Mapping[str, Answer]]

_SINCE = (
    ("meta_data.json", versions.FOLSOM),
    ("user_data", versions.FOLSOM),
    ("vendor_data.json", versions.HAVANA),
    ("network_data.json", versions.LIBERTY),  # over HTTP in every version, on a drive from here on
    ("vendor_data2.json", versions.NEWTON_TWO),
)


def contents(
    documents: Documents,
    ask: Ask,
    *,
    seed: bytes,
    skip: Collection[str] = EC2_SKIPPED,
) -> dict[str, bytes]:
    """The drive's files by their paths, ``openstack/latest/meta_data.json`` and so on.

    Args:
        documents: of the instance, with its security groups and what is added for the drive.
        ask: what every dynamic target says of the instance; called once, and only if the operator
            has configured any (Nova calls each target once per version). What it raises, is raised.
        seed: at least SEED_LEAST secret bytes, from which each version's ``random_seed`` is made;
            ``os.urandom(64)`` unless the same drive is to be built again.
        skip: versions of the EC2 tree to leave out.

    A document that HTTP answers with 404 is not on the drive: without StaticJSON there is no
    ``vendor_data.json``, where Nova fails to build the drive at all.

    Raises:
        ValueError: `seed` is too short.
        firstlight.documents.SecurityGroupsNeeded: they are not known.
    """
    if len(seed) < SEED_LEAST:
        raise ValueError(f"a seed of {len(seed)} bytes; a drive's has at least {SEED_LEAST}")
    answers = _Answers(ask)
    files = dict(_ec2(documents, skip))
    for version in (*versions.OPENSTACK, versions.LATEST):
        for name in _names(version):
            path = ("openstack", version, name)
            document = answers.show(documents, path)
            if document is not None:
                files["/".join(path)] = _body(document, seed, version)
    for number, content in enumerate(documents.contents):
        files[f"openstack/content/{number:04}"] = content
    return files


class _Answers:
    """What the targets say, asked when a document first shows it."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._known: Mapping[str, Answer] | None = None

    def show(self, documents: Documents, path: tuple[str, ...]) -> Document | None:
        try:
            return documents.get(path, self._known)
        except AnswersNeeded:
            self._known = self._ask()
            return documents.get(path, self._known)


def _ec2(documents: Documents, skip: Collection[str]) -> Iterator[tuple[str, bytes]]:
    for version in (*versions.EC2, versions.LATEST):
        if version not in skip:
            user_data = documents.get((version, "user-data"))
            if user_data is not None:
                yield f"ec2/{version}/user-data", user_data.head
            yield f"ec2/{version}/meta-data.json", documents.ec2_meta_data(version).head


def _names(version: str) -> Iterator[str]:
    number = versions.resolve(version, versions.OPENSTACK)
    return (name for name, since in _SINCE if number is not None and number >= since)


def _body(document: Document, secret: bytes, version: str) -> bytes:
    """A seed of its own for each version, as Nova's drives have it."""

    def random(size: int) -> bytes:
        return shake_256(secret + version.encode()).digest(size)

    return document.body(lambda: encoded_seed(random), None)
