"""One instance in memory: its documents, those already rendered, and who may ask for them."""

from collections.abc import Sequence

import msgspec

from firstlight.documents import Document, Documents, segments
from firstlight.httpd.protocol.messages import Response
from firstlight.instance import Instance
from firstlight.metadata.per_request.password import is_password

# Measured with `make bench` (memory per 1,000 cached instances): Python's objects for an instance
# take about three times its JSON.
_OBJECTS_PER_JSON_BYTE = 3
_FIXED_SIZE = 2048
# A guest that invents paths must not fill the memory: only paths that exist are kept, in these two
# spellings at most, and this many.
_RENDERED_LIMIT = 256


class RenderedInstance:
    """`instance` with what is needed to answer for it without looking anything up.

    `age` is how many seconds ago another process read it; 0: it was this one.
    """

    __slots__ = (
        "_passing",
        "age",
        "documents",
        "instance",
        "project",
        "ready",
        "rendered",
        "signatures",
    )

    def __init__(self, documents: Documents, signatures: Sequence[bytes], age: float = 0.0) -> None:
        self.age = age
        self.documents = documents
        self.instance: Instance = documents.instance
        self.project = self.instance.project_id.encode()  # as the tenant header carries it
        self.signatures = tuple(signatures)
        self.ready: dict[str, Response] = {}  # whole responses, shared by all who ask
        self.rendered: dict[str, Document] = {}  # documents, those with a hole among them
        self._passing: dict[str, tuple[float, Response]] = {}  # good until then, for all who ask

    def size(self) -> int:
        """Bytes it takes, roughly, without what will be rendered."""
        return _FIXED_SIZE + _OBJECTS_PER_JSON_BYTE * len(msgspec.json.encode(self.instance))

    def render(self, target: str) -> tuple[Document | None, int]:
        """The document at a request target, and how many bytes more are kept for it from now on.

        Raises:
            firstlight.documents.AnswersNeeded: the targets must be asked first.
        """
        if target in self.rendered:
            return self.rendered[target], 0
        path = segments(target)
        document = self.documents.get(path)
        if document is None or is_password(path) or len(self.rendered) >= _RENDERED_LIMIT:
            return document, 0  # what `rendered` holds answers any method; `password` does not
        if not _is_plain(target, path):
            return document, 0
        self.rendered[target] = document
        if document.hole is None:
            self.ready[target] = Response(200, document.head, document.content_type)
        return document, 256 + len(document.head) + len(document.tail)

    def pass_on(self, target: str, path: Sequence[str], response: Response, until: float) -> int:
        """Answer `target` with `response` until then; how many bytes more are kept now.

        For what is made of more than the instance, and is good for as long as all of that is.
        """
        if not _is_plain(target, path) or len(self._passing) >= _RENDERED_LIMIT:
            return 0
        old = self._passing.get(target)
        self._passing[target] = (until, response)
        return 256 + len(response.body) if old is None else 0

    def passed_on(self, target: str, now: float) -> Response | None:
        """What :meth:`pass_on` was told, while it is good."""
        until, response = self._passing.get(target, _NOTHING)
        return response if now < until else None


_NOTHING: tuple[float, Response | None] = (0.0, None)


def _is_plain(target: str, path: Sequence[str]) -> bool:
    """Whether this is one of the two spellings that are kept."""
    canonical = "/" + "/".join(path)
    return target in (canonical, f"{canonical}/")
