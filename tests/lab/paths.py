"""Every path of interest of one kind of server."""

from collections.abc import Iterator, Sequence

from lab.kinds.kind import Kind

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
    "latest",
)
OPENSTACK = (
    "2012-08-10",
    "2013-04-04",
    "2013-10-17",
    "2015-10-15",
    "2016-06-30",
    "2016-10-06",
    "2017-02-22",
    "2018-08-27",
    "2020-10-14",
    "2025-04-04",
    "latest",
)

EC2_KEYS = """
ami-id ami-launch-index ami-manifest-path block-device-mapping hostname instance-action
instance-id instance-type kernel-id local-hostname local-ipv4 placement public-hostname
public-ipv4 public-keys ramdisk-id reservation-id security-groups mac network
""".split()
DISK_KEYS = """
ami root swap ephemeral0 ephemeral1 ephemeral2 ebs0 ebs1 ebs2 ebs3
""".split()
DOCUMENTS = """
meta_data.json user_data password vendor_data.json network_data.json vendor_data2.json version
content content/0000 meta_data.json/x nothing
""".split()

# Normalisation, aliases and what is not there: asked once for each kind.
OTHERS = """
/ // /// /. /foo/.. /ec2 /openstack /openstack/ /openstack// /Latest /Openstack //latest
/latest//meta-data///instance-id /latest/meta-data/../user-data /latest/./meta-data/
/openstack//latest//meta_data.json/ /openstack/latest/../2012-08-10 /openstack/../latest
/ec2/latest /ec2/1.0/meta-data/instance-id /ec2/2009-04-04/user-data /ec2/openstack
/latest/meta-data/instance-id?query=1 /openstack/latest/network_data.json?a=b&c
/%6catest/user-data /openstack/content /openstack/content/ /openstack/content/0000
/openstack/content/0 /openstack/content/0001 /openstack/content/0000/x /openstack/2024-01-01
/openstack/2099-01-01 /openstack/LATEST /openstack/foo/meta_data.json
/openstack/2024-01-01/meta_data.json /2016-09-02/meta-data/instance-id
/2021-03-23/meta-data/instance-id /latest/dynamic /latest/dynamic/instance-identity/document
/latest/api/token /foo /foo/meta-data /latest/meta-data/ami-id/x /latest/meta-data/ami-id/x/y
/latest/meta-data/ami-launch-index/0 /latest/user-data/x /latest/user-data/x/y
/latest/meta-data/security-groups/default /latest/meta-data/security-groups/nobody
/latest/meta-data/placement/region /latest/meta-data/public-keys/1
/latest/meta-data/public-keys/0/openssh-key/x /openstack/latest/user_data/x
/openstack/latest/content/0000/x
""".split()


def paths(
    kind: Kind, *, ec2: Sequence[str] = EC2, openstack: Sequence[str] = OPENSTACK
) -> Iterator[str]:
    """The paths, those of the given versions and those that belong to none."""
    yield from OTHERS
    for version in ec2:
        yield f"/{version}"
        yield f"/{version}/user-data"
        yield f"/{version}/meta-data"
        yield from (f"/{version}/meta-data/{rest}" for rest in _ec2_leaves(kind))
    for version in openstack:
        yield f"/openstack/{version}"
        yield from (f"/openstack/{version}/{name}" for name in DOCUMENTS)


def _ec2_leaves(kind: Kind) -> Iterator[str]:
    yield from EC2_KEYS
    yield "placement/availability-zone"
    yield from (f"block-device-mapping/{name}" for name in DISK_KEYS)
    if "keypair" in kind.instance:
        yield from ("public-keys/0", "public-keys/0/openssh-key", "public-keys/0/_name")
