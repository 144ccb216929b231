"""Which NICs there are for ports of Neutron, asked of the HMC in one request.

A NIC that is not in the answer is not always gone: the HMC may not reach the machine, may have
failed to read that one partition, or may have been restarted. So before a NIC counts as gone, the
HMC is asked whether it sees the machine, and, if its answer had gaps, about the NIC itself.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from firstlight_dpm import names
from firstlight_dpm.backing import Backing
from firstlight_dpm.errors import BadAnswer, Gone, attempting
from firstlight_dpm.hmc import Hmc
from firstlight_dpm.hmc.reachability import check_reachable

_ATTEMPT = "reading the NICs of the machine's partitions"

Entry = Mapping[str, Any]


class Nic(NamedTuple):
    """One NIC; another URI is another NIC, even for the same port."""

    uri: str
    backing: Backing


#: NICs by the UUID of the port.
Nics = Mapping[str, Nic]


class Reader:
    """The NICs of one host's partitions, as far as they are on the networks it maps.

    Args:
        hmc: asked by the thread that calls.
        host: the CPC subset; partitions and NICs are its own by exact match.
        backings: what NICs may be plugged into; those elsewhere do not count.
    """

    def __init__(self, hmc: Hmc, host: str, backings: Collection[Backing]) -> None:
        self._hmc = hmc
        self._host = host
        self._backings = backings
        self._cpc_uri = f"/api/cpcs/{hmc.login.cpc}"

    def read(self, known: Nics) -> Nics:
        """All there are now; a NIC of `known` is left out only if it is certainly gone.

        Raises:
            HmcError: the HMC cannot tell; what is known still holds.
        """
        entries = self._inventory()
        found = dict(self._nics(entries))
        missing = {port: nic for port, nic in known.items() if port not in found}
        if missing:
            check_reachable(self._hmc, _ATTEMPT)
            if any(entry.get("class") == "inventory-error" for entry in entries):
                found |= {port: nic for port, nic in missing.items() if self._is_there(nic)}
        return found

    def _inventory(self) -> Sequence[Entry]:
        with attempting(_ATTEMPT):
            entries = self._hmc.client().get_inventory(["partition"])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise BadAnswer(_ATTEMPT, "the HMC's inventory is no list of objects")
        return entries

    def _nics(self, entries: Sequence[Entry]) -> Iterator[tuple[str, Nic]]:
        own = {entry.get("object-uri") for entry in entries if self._is_own(entry)}
        for entry in entries:
            if entry.get("class") != "nic" or entry.get("parent") not in own:
                continue
            port = names.port_of(str(entry.get("name")))
            backing = Backing.of_nic(entry)
            if port and backing and backing in self._backings and self._is_unclaimed(entry):
                yield port, Nic(str(entry.get("element-uri")), backing)

    def _is_own(self, entry: Entry) -> bool:
        return (
            entry.get("class") == "partition"
            and entry.get("parent") == self._cpc_uri
            and names.instance_of(self._host, str(entry.get("name"))) is not None
        )

    def _is_unclaimed(self, nic: Entry) -> bool:
        """The partition's name says whose it is; the NIC's description must not say otherwise."""
        return names.subset_of(str(nic.get("description"))) in (self._host, None)

    def _is_there(self, nic: Nic) -> bool:
        try:
            with attempting("looking for a NIC that the inventory left out"):
                self._hmc.client().session.get(nic.uri)
        except Gone:
            return False
        return True
