"""The request's bytes."""

from firstlight.instance import Instance
from firstlight.vendordata_client.calls import request

UUID = "2ae914e9-f5ab-44ce-b2a2-dcf8373d899d"


def test_all_seven_keys() -> None:
    """Nova's keys in Nova's order; metadata as given, user data still base64, non-ASCII escaped."""
    instance = Instance(
        uuid=UUID,
        project_id="039d104b7a5c4631b4ba6524d0b9e981",
        name="web 1",
        hostname="foo",
        image_id="75a74383-f276-4774-8074-8c4e3ff2ca64",
        metadata={"role": "wéb"},
        user_data="IyEvYmluL3No",
        boot_roles="member,reader",
    )
    assert request.body(instance) == (
        b'{"project-id": "039d104b7a5c4631b4ba6524d0b9e981",'
        b' "instance-id": "2ae914e9-f5ab-44ce-b2a2-dcf8373d899d",'
        b' "image-id": "75a74383-f276-4774-8074-8c4e3ff2ca64",'
        b' "user-data": "IyEvYmluL3No", "hostname": "foo",'
        b' "metadata": {"role": "w\\u00e9b"}, "boot-roles": "member,reader"}'
    )


def test_as_little_as_can_be() -> None:
    """Booted from volume, without user data, metadata and roles: "", null, {} and ""."""
    instance = Instance(uuid=UUID, project_id="p", name="n", hostname="h")
    assert request.body(instance) == (
        b'{"project-id": "p", "instance-id": "2ae914e9-f5ab-44ce-b2a2-dcf8373d899d",'
        b' "image-id": "", "user-data": null, "hostname": "h", "metadata": {}, "boot-roles": ""}'
    )
