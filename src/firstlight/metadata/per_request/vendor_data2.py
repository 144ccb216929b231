"""``vendor_data2.json``: what the targets say, whole or not at all, and how old it is."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from urllib.parse import quote

from firstlight.concurrency.throttle import ThrottledLog
from firstlight.httpd.protocol.messages import Request, Response
from firstlight.instance import Answer, State
from firstlight.metadata.boot.watchdog import Watchdog
from firstlight.metadata.cache.cache import CacheEntry
from firstlight.metadata.cache.rendered_instance import RenderedInstance
from firstlight.metadata.deferred import Reply, now_or_after
from firstlight.metadata.http_errors import UNKNOWN_ERROR, not_found, try_later
from firstlight.metadata.per_request.stale_header import Stale, with_staleness
from firstlight.metadata.settings import VendorDataProvider

LOG = ThrottledLog(logging.getLogger(__name__))  # guests cause what is said


class VendorData2:
    """Answers for the one document that shows the targets' data.

    Args:
        vendordata: whose targets are asked.
        grown: is told how many bytes more are kept for an instance.
        vigil: is told who was refused and who was given it; None: nobody.
        clock: monotonic seconds.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        vendordata: VendorDataProvider,
        grown: Callable[[str, int], None],
        vigil: Watchdog | None,
        *,
        clock: Callable[[], float],
        now: Callable[[], float],
    ) -> None:
        self._vendordata = vendordata
        self._grown = grown
        self._vigil = vigil
        self._clock = clock
        self._now = now

    def answer(
        self,
        request: Request,
        path: Sequence[str],
        kept: CacheEntry[RenderedInstance],
        stale: Sequence[Stale],
    ) -> Reply:
        """The document at `path` of the instance `kept`, of which `stale` says what is old."""
        assert kept.value is not None
        record = kept.value
        answers = self._vendordata.begin(record.instance)
        return now_or_after(
            answers, request, lambda known: self._with(known, request, path, record, stale)
        )

    def _with(
        self,
        answers: Mapping[str, Answer],
        request: Request,
        path: Sequence[str],
        record: RenderedInstance,
        stale: Sequence[Stale],
    ) -> Response:
        self._refuse_half(record.instance.uuid, dict(answers))
        document = record.documents.get(path, answers)
        if document is None:
            raise not_found()
        response = Response(200, document.head, document.content_type)
        old = [*stale, *self._old(answers)]
        if old:
            return with_staleness(response, old)
        seconds = self._good_for(answers)
        if seconds > 0:
            extra = record.pass_on(request.target, path, response, self._clock() + seconds)
            self._grown(record.instance.uuid, extra)
        return response

    def _refuse_half(self, uuid: str, answers: dict[str, Answer]) -> None:
        fatal = self._vendordata.fatal(answers)
        if fatal is None:
            if self._vigil is not None:
                self._vigil.given(uuid)
            return
        LOG.error("vendor data of instance %s: %s: 503", uuid, fatal)
        if self._vigil is not None:
            self._vigil.refused(uuid, fatal)
        raise try_later(UNKNOWN_ERROR)

    def _old(self, answers: Mapping[str, Answer]) -> Iterator[Stale]:
        for name, answer in answers.items():
            if answer.state is State.STALE:
                # An operator's name for a target may be anything; a header's value may not.
                yield Stale(quote(name, safe="") or "%00", self._now() - answer.fetched)

    def _good_for(self, answers: Mapping[str, Answer]) -> float:
        """Seconds for which the same answers would come again; 0: that cannot be said."""
        ends = [answer.expires for answer in answers.values()]
        return min((end - self._now() if end is not None else 0.0 for end in ends), default=0.0)
