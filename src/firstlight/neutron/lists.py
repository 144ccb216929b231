"""Neutron's lists, read whole: credentials, pages, retries, and what can go wrong in one sentence.

API: Networking v2.0, "Filtering and column selection" and "Pagination".
"""

import time
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

import msgspec
import requests
from keystoneauth1.adapter import Adapter
from keystoneauth1.exceptions import EndpointNotFound, RetriableConnectionFailure

from firstlight.neutron.calls import Call, late
from firstlight.neutron.rows import Row
from firstlight.sources.ports import NeutronUnavailable
from firstlight.targets.credentials import Credentials, Headers
from firstlight.targets.failure import CALL_ERRORS, CallFailed, reason, timed_out
from firstlight.targets.targets import without_secrets

Filters = Sequence[tuple[str, str]]
R = TypeVar("R", bound=Row)

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
    """

    def __init__(self, adapter: Adapter, *, retries: int, timeout: float | None) -> None:
        self._adapter = adapter
        self._credentials = Credentials(adapter.session)
        self._retries = retries
        self._timeout = timeout

    def read(self, row: type[R], filters: Filters, call: Call) -> list[R]:
        """Every `row` that the filters leave, in Neutron's order. Blocks.

        Raises:
            NeutronUnavailable: for whatever reason the list is not known.
        """
        query: Filters | None = [*filters, *(("fields", name) for name in row.__struct_fields__)]
        rows: list[R] = []
        while query is not None:
            page = self._patient(row, query, call)
            rows += _rows(row, page)
            query = _rest(row, page)
        return rows

    def close(self) -> None:
        """Give back the connections."""
        self._adapter.session.session.close()

    def _patient(self, row: type[Row], query: Filters, call: Call) -> bytes:
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

    def _page(self, row: type[Row], query: Filters, call: Call) -> bytes:
        try:
            response = self._get(row.PATH, query, call)
        except CallFailed as failure:
            raise NeutronUnavailable(f"Neutron cannot be asked: {failure}") from failure
        if response.status_code == 404 and b"PortNotFound" in response.content:
            raise _Vanished(self._said(row, response))
        if response.status_code != 200:
            raise NeutronUnavailable(self._said(row, response))
        return response.content

    def _get(self, path: str, query: Filters, call: Call) -> requests.Response:
        credentials = self._credentials.headers(call.deadline)
        response = self._send(path, query, credentials, call)
        if response.status_code != 401:
            return response
        renewed = self._credentials.renewed(credentials, call.deadline)
        return response if renewed is None else self._send(path, query, renewed, call)

    def _send(
        self, path: str, query: Filters, credentials: Headers, call: Call
    ) -> requests.Response:
        url = f"{self._endpoint()}/v2.0/{path}"
        left = call.deadline.left()
        if not left:
            raise late(call.deadline)
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
            raise CallFailed(f"no endpoint: Keystone: {reason(error)}") from error
        if not endpoint:
            raise CallFailed(f"Keystone's catalog has no {self._sought()}")
        return str(endpoint).rstrip("/").removesuffix("/v2.0")

    def _sought(self) -> str:
        adapter = self._adapter
        where = f" in region {adapter.region_name}" if adapter.region_name else ""
        interfaces = "/".join(adapter.interface or ())
        return (
            f"{interfaces} endpoint of a service of type {adapter.service_type}"
            f"{where}; check [neutron] region_name and valid_interfaces, or set endpoint_override"
        )

    def _said(self, row: type[Row], response: requests.Response) -> str:
        said = f"Neutron answered {response.status_code} to GET {row.PATH}"
        if response.status_code in (401, 403):
            return f"{said}: check the user of [neutron] and its roles"
        return f"{said}: {detail}" if (detail := _detail(response.content)) else said

    def _unavailable(self, row: type[Row], error: BaseException, call: Call) -> NeutronUnavailable:
        if isinstance(error, _Vanished):
            return NeutronUnavailable(str(error))
        if timed_out(error) and not call.deadline.left():
            return late(call.deadline)
        if timed_out(error) == "read":
            return NeutronUnavailable(
                f"Neutron, GET {row.PATH}: sent nothing for {self._timeout:g} s"
            )
        return NeutronUnavailable(f"Neutron, GET {row.PATH}: {reason(error)}")


def _rows(row: type[R], page: bytes) -> list[R]:
    try:
        named = msgspec.json.decode(page, type=dict[str, msgspec.Raw])
        return msgspec.json.decode(named[row.NAME], type=list[row])  # type: ignore[valid-type]
    except (msgspec.MsgspecError, KeyError) as error:
        raise NeutronUnavailable(
            f"Neutron answered GET {row.PATH} with something that is not a list of them: {error}"
        ) from error


def _rest(row: type[Row], page: bytes) -> Filters | None:
    """The query of the next page; None: this was the last."""
    links: Iterable[dict[str, str]] = msgspec.json.decode(page).get(f"{row.NAME}_links", ())
    for link in links:
        if link["rel"] == "next":
            return parse_qsl(urlsplit(link["href"]).query)
    return None


def _detail(body: bytes) -> str:
    """The sentence of Neutron's error body; empty if there is none."""
    try:
        error: Any = msgspec.json.decode(body)
        return without_secrets(str(error["NeutronError"]["message"]))[:300]
    except (msgspec.MsgspecError, KeyError, TypeError):
        return ""
