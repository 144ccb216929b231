"""Neutron's lists, read whole: credentials, pages, retries, and what can go wrong in one sentence.

API: Networking v2.0, "Filtering and column selection" and "Pagination".
"""

import time
from collections.abc import Callable

import requests
from keystoneauth1.adapter import Adapter
from keystoneauth1.exceptions import EndpointNotFound, RetriableConnectionFailure

from firstlight.neutron.calls import NeutronCall
from firstlight.neutron.pages import Filters, NotAPage, Page, R, detail, page
from firstlight.neutron.rows import NeutronRow
from firstlight.sources.ports import NeutronUnavailable
from firstlight.vendordata_client.calls.credentials import Credentials, Headers
from firstlight.vendordata_client.calls.failure import (
    CALL_ERRORS,
    CallFailed,
    Kind,
    reason,
    timed_out,
)

Observe = Callable[[str, bool, float], None]

# Seconds before the second attempt; it doubles. Neutron behind a proxy is away for that long.
_RETRY_SECONDS = 0.1
# A read that the deadline ends is ended by those who wait; the socket's own timeout comes later.
_SLACK = 0.1


class _Vanished(Exception):
    """A row was deleted while Neutron made the list; its next list is whole."""


class Lists:
    """Neutron's lists, as the credentials of `adapter` may see them.

    Args:
        adapter: see :func:`firstlight.neutron.session.open_adapter`.
        retries: attempts after the first, if Neutron cannot be reached (``http_retries``).
        timeout: seconds until the next byte; None: as long as there is time.
        observe: called once per list with its name, whether it was read, and the seconds it took.
    """

    def __init__(
        self,
        adapter: Adapter,
        *,
        retries: int,
        timeout: float | None,
        observe: Observe | None = None,
    ) -> None:
        self._adapter = adapter
        self._credentials = Credentials(adapter.session)
        self._retries = retries
        self._timeout = timeout
        self._observe = observe
        self.trouble: str | None = None  # why the last list could not be read; None: it was

    def read(self, row: type[R], filters: Filters, call: NeutronCall) -> list[R]:
        """Every `row` that the filters leave, in Neutron's order. Blocks.

        Raises:
            NeutronUnavailable: for whatever reason the list is not known.
        """
        before, whole = call.deadline.spent(), False
        try:
            rows = self._pages(row, filters, call)
            whole, self.trouble = True, None
        except NeutronUnavailable as error:
            self.trouble = str(error)
            raise
        finally:
            if self._observe is not None:
                self._observe(row.PATH, whole, call.deadline.spent() - before)
        return rows

    def close(self) -> None:
        """Give back the connections."""
        self._adapter.session.session.close()

    def _pages(self, row: type[R], filters: Filters, call: NeutronCall) -> list[R]:
        query: Filters | None = [*filters, *(("fields", name) for name in row.__struct_fields__)]
        rows: list[R] = []
        while query is not None:
            part = self._patient(row, query, call)
            rows += part.rows
            query = part.rest
        return rows

    def _patient(self, row: type[R], query: Filters, call: NeutronCall) -> Page[R]:
        pause = _RETRY_SECONDS
        for left in range(self._retries, -1, -1):
            try:
                return self._page(row, query, call)
            except (RetriableConnectionFailure, _Vanished) as error:
                # A read that was too slow is too slow; only what can be mended by asking again.
                if not left or timed_out(error) == "read" or call.deadline.left() <= pause:
                    raise self._unavailable(row, error, call) from error
            except CALL_ERRORS as error:
                raise self._unavailable(row, error, call) from error
            time.sleep(pause)
            pause *= 2
        raise AssertionError("the last attempt returns or raises")

    def _page(self, row: type[R], query: Filters, call: NeutronCall) -> Page[R]:
        try:
            response = self._get(row.PATH, query, call)
        except CallFailed as failure:
            raise NeutronUnavailable(f"Neutron cannot be asked: {failure}") from failure
        if response.status_code == 404 and b"PortNotFound" in response.content:
            raise _Vanished(self._said(row, response))
        if response.status_code != 200:
            raise NeutronUnavailable(self._said(row, response))
        try:
            return page(row, response.content)
        except NotAPage as error:
            raise NeutronUnavailable(
                f"Neutron answered GET {row.PATH} with what is no list of them: {error}"
            ) from error

    def _get(self, path: str, query: Filters, call: NeutronCall) -> requests.Response:
        with call.asking("Keystone"):
            credentials = self._credentials.headers(call.deadline)
            url = f"{self._endpoint()}/v2.0/{path}"
        response = self._send(url, query, credentials, call)
        if response.status_code != 401:
            return response
        with call.asking("Keystone"):
            renewed = self._credentials.renewed(credentials, call.deadline)
        return response if renewed is None else self._send(url, query, renewed, call)

    def _send(
        self, url: str, query: Filters, credentials: Headers, call: NeutronCall
    ) -> requests.Response:
        left = call.deadline.left()
        if not left:
            raise call.late()
        with call.leash.attached():
            response: requests.Response = self._adapter.get(
                url,
                params=query,
                headers={"Accept": "application/json", **credentials},
                authenticated=False,  # the token is in `credentials`
                raise_exc=False,
                timeout=min(self._timeout or left, left + _SLACK),
            )
        return response

    def _endpoint(self) -> str:
        """Where Neutron is, from the catalog that came with the token or from the options."""
        try:
            endpoint = self._adapter.get_endpoint()
        except EndpointNotFound:
            endpoint = None
        except CALL_ERRORS as error:
            raise CallFailed(f"no endpoint: Keystone: {reason(error)}", Kind.UNREACHABLE) from error
        if not endpoint:
            raise CallFailed(f"Keystone's catalog has no {self._sought()}", Kind.UNREACHABLE)
        return str(endpoint).rstrip("/").removesuffix("/v2.0")

    def _sought(self) -> str:
        adapter = self._adapter
        where = f" in region {adapter.region_name}" if adapter.region_name else ""
        interfaces = "/".join(adapter.interface or ())
        return (
            f"{interfaces} endpoint of a service of type {adapter.service_type}"
            f"{where}; check [neutron] region_name and valid_interfaces, or set endpoint_override"
        )

    def _said(self, row: type[NeutronRow], response: requests.Response) -> str:
        said = f"Neutron answered {response.status_code} to GET {row.PATH}"
        if response.status_code in (401, 403):
            return f"{said}: check the user of [neutron] and its roles"
        why = detail(response.content)
        return f"{said}: {why}" if why else said

    def _unavailable(
        self, row: type[NeutronRow], error: BaseException, call: NeutronCall
    ) -> NeutronUnavailable:
        if isinstance(error, _Vanished):
            return NeutronUnavailable(str(error))
        if timed_out(error) and not call.deadline.left():
            return call.late()
        if timed_out(error) == "read":
            return NeutronUnavailable(
                f"Neutron, GET {row.PATH}: sent nothing for {self._timeout:g} s"
            )
        return NeutronUnavailable(f"Neutron, GET {row.PATH}: {reason(error)}")
