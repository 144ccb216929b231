"""Every path of an instance is found, as a guest finds it."""

from firstlight.documents import Documents, TreeSettings, walk
from firstlight.instance import Ec2Ids, Keypair
from support.cloud.store_samples import interface, server


def test_every_path() -> None:
    """Directories are those with a slash, ``0=name`` and meta-data; only leaves are told."""
    instance = server(
        interfaces=(interface("192.0.2.10", "192.0.2.0/24"),),
        keypair=Keypair(name="mine", public_key="ssh-rsa A"),
        user_data="aGk=",
        ec2_ids=Ec2Ids(instance=1, image=1),
    )
    documents = Documents(instance, TreeSettings(), static={}, today="2026-01-01")
    paths = list(walk(documents))
    assert len(paths) == len(set(paths))
    assert paths[0][:2] == ("openstack", "latest")
    assert {
        ("openstack", "latest", "meta_data.json"),
        ("openstack", "latest", "user_data"),
        ("latest", "user-data"),
        ("latest", "meta-data", "local-ipv4"),
        ("latest", "meta-data", "public-keys", "0", "openssh-key"),
    } < set(paths)
    assert ("latest", "meta-data") not in paths
