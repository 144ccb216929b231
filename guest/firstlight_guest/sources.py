"""Where an answer comes from: the config drive first, then the metadata service."""

import json
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from .deadline import Deadline
from .drive import Drive
from .errors import CouldNotAsk, Empty, GuestError, NotThere
from .service import Service

VENDOR_DATA = "/openstack/latest/vendor_data2.json"
META_DATA = "/openstack/latest/meta_data.json"
# A drive is a whole answer. What it lacks may be news, but nobody should wait long for it.
_WITH_DRIVE = 10.0  # seconds


class Answer(NamedTuple):
    """What was found, and where: ``config drive`` or ``network``."""

    value: Any
    origin: str


class Sources:
    """The places to ask, in their order.

    Args:
        drive: None if there is none.
        service: None if it must not be asked.
    """

    def __init__(self, drive: Optional[Drive], service: Optional[Service]) -> None:
        self.drive = drive
        self.service = service
        if drive is not None and service is not None:
            left = min(service.deadline.left(), _WITH_DRIVE)
            service.deadline = Deadline(left)

    def get(self, path: str) -> Answer:
        """The bytes of a document, by its path over HTTP.

        Raises:
            NotThere: nobody has it.
            CouldNotAsk: nobody could be asked.
        """
        return self._first(lambda get: get(path))

    def json(self, path: str) -> Answer:
        """The same, as the value that it means."""
        return self._first(lambda get: parse(get(path), path))

    def provider(self, name: str, path: str = VENDOR_DATA) -> Answer:
        """What the vendordata provider `name` says: at the top, else one level down.

        Raises:
            NotThere: nobody knows the name.
            Empty: the name is known, and nothing is said under it.
            CouldNotAsk: nobody could be asked.
        """
        return self._first(lambda get: answer_of(parse(get(path), path), name))

    def _first(self, question: Callable[[Callable[[str], bytes]], Any]) -> Answer:
        failures: List[GuestError] = []
        for origin, get in self._places():
            try:
                return Answer(question(get), origin)
            except (NotThere, Empty, CouldNotAsk) as failure:
                failures.append(failure)
        if not failures:
            raise CouldNotAsk("there is neither a config drive nor a network to ask")
        # An answer, even an empty one, says more than none, and an empty one more than a missing.
        raise max(failures, key=lambda failure: (CouldNotAsk, NotThere, Empty).index(type(failure)))

    def _places(self) -> List[Tuple[str, Callable[[str], bytes]]]:
        places: List[Tuple[str, Callable[[str], bytes]]] = []
        if self.drive is not None:
            places.append(("config drive", self.drive.get))
        if self.service is not None:
            places.append(("network", self.service.get))
        return places


def parse(data: bytes, name: str) -> Any:
    """The value that a JSON document means.

    Raises:
        CouldNotAsk: it is none.
    """
    try:
        return json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise CouldNotAsk(f"{name} is not JSON: {error}") from None


def parse_object(data: bytes, name: str) -> Dict[str, Any]:
    """The same, where it must be an object.

    Raises:
        CouldNotAsk: it is none.
    """
    value = parse(data, name)
    if not isinstance(value, dict):
        raise CouldNotAsk(f"{name} is no object")
    return value


def answer_of(vendor_data: Any, name: str) -> Any:
    """What a provider says, in vendor data.

    Raises:
        NotThere, Empty: see :meth:`Sources.provider`.
    """
    if not isinstance(vendor_data, dict):
        raise NotThere("vendor data is no object")
    levels = [vendor_data, *(each for each in vendor_data.values() if isinstance(each, dict))]
    for level in levels:
        if name in level:
            if level[name] in ({}, [], "", None):
                raise Empty(f"vendor data says nothing under {name!r}")
            return level[name]
    raise NotThere(f"vendor data has no {name!r}")
