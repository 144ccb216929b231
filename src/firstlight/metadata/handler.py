"""Every request arrives at :meth:`MetadataService.handle` and leaves as one response.

A *hot* request (the instance is in memory) is answered on the event loop: signature, then bytes. A
*cold* one becomes a future that a pool's thread fulfils.
"""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from datetime import datetime

from msgspec import structs

from firstlight.concurrency.throttle import ThrottledLog
from firstlight.concurrency.workers import Overloaded, Workers
from firstlight.documents import (
    AnswersNeeded,
    Document,
    Documents,
    SecurityGroupsNeeded,
    segments,
)
from firstlight.documents import version_list as list_versions
from firstlight.httpd.protocol.messages import Request, Response
from firstlight.metadata import identity
from firstlight.metadata.address_lookup import may_concern, only_addressed, only_provided
from firstlight.metadata.boot.boot_gate import BootGate
from firstlight.metadata.cache import caches
from firstlight.metadata.cache.cache import Cache, CacheEntry
from firstlight.metadata.cache.rendered_instance import RenderedInstance
from firstlight.metadata.deferred import Reply, after, answered, now_or_after
from firstlight.metadata.http_errors import HttpError, not_found
from firstlight.metadata.identity import By, Claim, signed_by
from firstlight.metadata.per_request.password import is_password, posted_password, store_password
from firstlight.metadata.per_request.stale_header import Stale, with_staleness
from firstlight.metadata.per_request.vendor_data2 import VendorData2
from firstlight.metadata.settings import ALONE, ServiceSettings, SharedInstances, VendorDataProvider
from firstlight.sources import Source
from firstlight.sources.ports import Device, Ports, SecurityGroups
from firstlight.sources.uuids import is_uuid

LOG = logging.getLogger(__name__)

_FRONT = ("openstack",)


class MetadataService:
    """The service, without a socket: requests in, responses or futures of them out.

    Args:
        source: where instances come from.
        ports: who has an address.
        vendordata: static and dynamic vendor data.
        behaviour: options.
        lookups: the pool on which the source is read.
        asks: the pool for what is not the source's.
        clock: monotonic seconds.
        now: the date, for the list of versions.
        seed: a fresh ``random_seed``, encoded.
        addresses_told: the source tells of the servers that are given an address, so that one which
            two have is known at once; otherwise it is known when what is remembered expires.
        groups: whom to ask for security groups; None: the source's instances carry theirs.
        group_lookups: the pool on which that is done; None: `asks`.
        shared: what other processes have read.
        door: who is met at ``/openstack``, and how; None: everybody is let in.
    """

    def __init__(
        self,
        source: Source,
        ports: Ports,
        vendordata: VendorDataProvider,
        behaviour: ServiceSettings,
        *,
        lookups: Workers,
        asks: Workers,
        clock: Callable[[], float],
        now: Callable[[], datetime],
        seed: Callable[[], bytes],
        addresses_told: bool = False,
        groups: SecurityGroups | None = None,
        group_lookups: Workers | None = None,
        shared: SharedInstances = ALONE,
        door: BootGate | None = None,
    ) -> None:
        self._source = source
        self._strangers = ThrottledLog(LOG)  # guests cause what it says
        self._shared = shared
        self._vendordata = vendordata
        self._behaviour = behaviour
        self._signed = behaviour.signed
        self._lookups = lookups
        self._clock = clock
        self._now = now
        self._seed = seed
        self._versions = list_versions()
        self.records = caches.instance_cache(self._read, lookups, behaviour, clock)
        self._addresses_told = addresses_told
        self.owners = caches.address_cache(ports, lookups, behaviour, clock)
        self.groups: Cache[tuple[str, ...]] | None = None
        if groups is not None:
            self.groups = caches.security_group_cache(
                groups, group_lookups or asks, behaviour, clock
            )
        self._door = door or BootGate(vendordata, clock=clock)
        self._answering = VendorData2(
            vendordata,
            self.records.grown,
            self._door.vigil,
            clock=clock,
            now=lambda: now().timestamp(),
        )
        dynamic = "DynamicJSON" in behaviour.documents.vendordata_providers
        # What the rest of a crawl would wait for is begun with its first question.
        self._front = _FRONT if dynamic or groups is not None else None

    def handle(self, request: Request) -> Reply:
        """Answer one request (a :data:`firstlight.httpd.protocol.messages.Handler`)."""
        return self.hot(request) or answered(request, lambda: self._identified(request))

    def changed(self, uuid: str | None) -> None:
        """The source says that this instance (None: any) has changed. Any thread may call it.

        It may wait for the shared cache.
        """
        # First: a record that is made anew keeps what targets have said for as long as they say.
        self._vendordata.outdate(uuid)
        self._forget(uuid)
        if uuid is None or self._addresses_told:
            self.owners.forget(None)
        else:
            self.owners.forget_where(may_concern(uuid))
        if self.groups is not None:
            self.groups.forget(uuid)

    def _forget(self, uuid: str | None) -> None:
        self.records.forget(uuid)
        self._shared.forget(uuid)
        self.records.forget(uuid)  # what was found there meanwhile

    # -- hot ---------------------------------------------------------------------------------

    def hot(self, request: Request) -> Response | None:
        """The whole road for a signed request whose document is in memory; None for any other.

        A :data:`~firstlight.httpd.protocol.messages.Hot`. Few steps, because each costs every
        request of every guest; what is out of the ordinary (stale, unsigned, another project's) is
        left to the long road, which says why.
        """
        headers = request.headers
        instance_id = headers.get(b"x-instance-id")
        if instance_id is None or not self._signed or b"x-metadata-provider" in headers:
            return None
        kept = self.records.peek(instance_id.decode("latin-1"))
        if kept is None or kept.problem is not None or kept.value is None:
            return None
        record = kept.value
        signature = headers.get(b"x-instance-id-signature", b"")
        if headers.get(b"x-tenant-id") != record.project or not signed_by(
            record.signatures, signature
        ):
            return None
        request.subject = record.instance.uuid
        return record.ready.get(request.target) or self._filled(request, record)

    def _filled(self, request: Request, record: RenderedInstance) -> Response | None:
        """A rendered document with its hole filled for this request."""
        document = record.rendered.get(request.target)
        if document is None:
            return record.passed_on(request.target, self._clock())
        body = document.body(self._seed, request.header(b"x-forwarded-for"))
        return Response(200, body, document.content_type)

    # -- every other request --------------------------------------------------------------------

    def _identified(self, request: Request) -> Reply:
        path = segments(request.target)
        if not path:
            return Response(200, self._versions.head, self._versions.content_type)
        claim, arrived = self._claim(request), self._clock()
        request.subject = claim.key.replace("\n", " ")
        if claim.by is By.ID:
            return self._with_record(request, claim, claim.key, arrived)
        owners = self.owners.get(claim.key)
        return now_or_after(
            owners, request, lambda kept: self._owned(request, claim, kept, arrived)
        )

    def _claim(self, request: Request) -> Claim:
        behaviour = self._behaviour
        if not behaviour.signed:
            return identity.claim_by_address(request, behind_proxy=behaviour.behind_proxy)
        if request.headers.get(b"x-metadata-provider"):
            return identity.claim_by_provider(request, behaviour.secrets)
        return identity.claim_by_id(request, behaviour.secrets)

    def _owned(
        self, request: Request, claim: Claim, kept: CacheEntry[tuple[Device, ...]], arrived: float
    ) -> Reply:
        if claim.by is By.PROVIDER:
            owner = only_provided(claim.key, kept.value)
            claim = structs.replace(claim, project=owner.project)
        else:
            owner = only_addressed(claim.key, kept.value or ())
        return self._with_record(request, claim, owner.id, arrived)

    def _with_record(
        self, request: Request, claim: Claim, instance_id: str, arrived: float
    ) -> Reply:
        request.subject = instance_id
        if not is_uuid(instance_id):  # and no key for a cache, whose servers would choke on it
            raise not_found()
        kept = self.records.get(instance_id)
        return now_or_after(kept, request, lambda kept: self._answer(request, claim, kept, arrived))

    def _answer(
        self, request: Request, claim: Claim, kept: CacheEntry[RenderedInstance], arrived: float
    ) -> Reply:
        record = kept.value
        if record is None:
            self._strangers.info("no instance %s: 404 for %s", request.subject, request.id)
            raise not_found()
        if claim.project is not None and claim.project != record.instance.project_id:
            self._strangers.warning(
                "project %s does not own instance %s: 404", claim.project, record.instance.uuid
            )
            raise not_found()
        path = segments(request.target)
        if is_password(path) and request.method != "GET":
            return self._post_password(request, record, path)
        if path == self._front:
            return self._enter(request, record, kept, arrived)
        try:
            document = self._render(record, request.target)
        except AnswersNeeded:
            return self._answering.answer(request, path, kept, self._stale(kept))
        except SecurityGroupsNeeded:
            groups = self._groups_of(record)
            return now_or_after(groups, request, lambda g: self._with_groups(path, kept, g))
        return self._response(document, claim.requester, kept)

    def _enter(
        self,
        request: Request,
        record: RenderedInstance,
        kept: CacheEntry[RenderedInstance],
        arrived: float,
    ) -> Reply:
        """The first question of a crawl; see :mod:`firstlight.metadata.boot.boot_gate`."""
        document = record.documents.get(_FRONT)
        assert document is not None
        if self.groups is not None:
            with suppress(Overloaded):  # whoever needs them will be told
                self.groups.get(record.instance.uuid)
        return self._door.enter(
            request, record.instance, arrived, lambda: self._response(document, None, kept)
        )

    def _groups_of(
        self, record: RenderedInstance
    ) -> "CacheEntry[tuple[str, ...]] | Future[CacheEntry[tuple[str, ...]]]":
        assert self.groups is not None
        return self.groups.get(record.instance.uuid)

    def _with_groups(
        self,
        path: Sequence[str],
        kept: CacheEntry[RenderedInstance],
        groups: CacheEntry[tuple[str, ...]],
    ) -> Response:
        assert kept.value is not None
        document = kept.value.documents.get(path, groups=groups.value or ())
        assert document is not None
        old = [] if groups.problem is None else [self._aged("security-groups", groups.built)]
        return self._response(document, None, kept, *old)

    def _render(self, record: RenderedInstance, target: str) -> Document:
        document, extra = record.render(target)
        if document is None:
            raise not_found()
        if extra:
            self.records.grown(record.instance.uuid, extra)
        return document

    def _post_password(
        self, request: Request, record: RenderedInstance, path: Sequence[str]
    ) -> Reply:
        if record.documents.get(path) is None:
            raise not_found()
        password = posted_password(request, record.instance)
        posting = self._lookups.submit(self._write_password, password, record)
        return after(posting, request, lambda response: response)

    def _write_password(self, password: str, record: RenderedInstance) -> Response:
        news = True
        try:
            return store_password(password, record.instance, self._source)
        except HttpError as refusal:  # one is set: what is remembered is old, if it has none
            news = not (refusal.status == 409 and record.instance.password)
            raise
        finally:
            if news:
                self._forget(record.instance.uuid)

    def _response(
        self,
        document: Document,
        requester: str | None,
        kept: CacheEntry[RenderedInstance],
        *others: Stale,
    ) -> Response:
        response = Response(200, document.body(self._seed, requester), document.content_type)
        stale = [*self._stale(kept), *others]
        return with_staleness(response, stale) if stale else response

    def _stale(self, kept: CacheEntry[RenderedInstance]) -> Sequence[Stale]:
        return () if kept.problem is None else [self._aged("instance", kept.built)]

    def _aged(self, name: str, built: float) -> Stale:
        return Stale(name, self._clock() - built)

    # -- cold: these run on the pool's threads -----------------------------------------------------

    def _read(self, uuid: str) -> RenderedInstance | None:
        instance, age = self._shared.instance(uuid, self._source.instance)
        if instance is None:
            return None
        documents = Documents(
            instance,
            self._behaviour.documents,
            static=self._vendordata.static(),
            today=f"{self._now():%Y-%m-%d}",
            groups_elsewhere=self.groups is not None,
        )
        return RenderedInstance(
            documents, [identity.sign(s, uuid) for s in self._behaviour.secrets], age
        )
