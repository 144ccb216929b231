"""The versions of both trees. Dates compare as text; no date ever stands for another."""

LATEST = "latest"

EC2 = (
    "1.0",
    "2007-01-19",
    "2007-03-01",
    "2007-08-29",
    "2007-10-10",
    "2007-12-15",
    "2008-02-01",
    "2008-09-01",
    "2009-04-04",
)

FOLSOM = "2012-08-10"  # meta_data.json, user_data, content
GRIZZLY = "2013-04-04"  # password; random_seed
HAVANA = "2013-10-17"  # vendor_data.json
LIBERTY = "2015-10-15"  # network_data.json listed; project_id
NEWTON_ONE = "2016-06-30"  # devices
NEWTON_TWO = "2016-10-06"  # vendor_data2.json
OCATA = "2017-02-22"  # vlan of a NIC
ROCKY = "2018-08-27"  # vf_trusted of a NIC
VICTORIA = "2020-10-14"  # dedicated_cpus
EPOXY = "2025-04-04"  # devices of type share

OPENSTACK = (
    FOLSOM,
    GRIZZLY,
    HAVANA,
    LIBERTY,
    NEWTON_ONE,
    NEWTON_TWO,
    OCATA,
    ROCKY,
    VICTORIA,
    EPOXY,
)


def resolve(name: str, versions: tuple[str, ...]) -> str | None:
    """The version a path means by `name`: itself, the last one for ``latest``, or None."""
    if name == LATEST:
        return versions[-1]
    return name if name in versions else None


def openstack_on(today: str) -> tuple[str, ...]:
    """The versions listed on `today` (``YYYY-MM-DD``): later ones are served but not listed."""
    return tuple(version for version in OPENSTACK if version <= today)
