"""The largest question that Nova can put is answered."""

import base64
import json

from support.providers.vendordata_service import Serve

# What Nova's API takes: user data of 65,535 characters (nova/api/openstack/compute/schemas), and as
# much metadata as the default quota has (metadata_items), each key and value of 255 characters. A
# character outside the Basic Multilingual Plane is twelve bytes of Nova's JSON.
ITEMS, LONGEST = 128, 255


def test_the_largest_question(serve: Serve) -> None:
    """It is half of what the service takes, and arrives whole."""
    service = serve("providers = echo\nauth_strategy = noauth")
    metadata = {f"{n:_>{LONGEST}}": "\N{GRINNING FACE}" * LONGEST for n in range(ITEMS)}
    question = {
        "project-id": "039d104b7a5c4631b4ba6524d0b9e981",
        "instance-id": "2ae914e9-f5ab-44ce-b2a2-dcf8373d899d",
        "image-id": "75a74383-f276-4774-8074-8c4e3ff2ca64",
        "user-data": base64.b64encode(b"#" * 49_149).decode(),
        "hostname": "h" * 255,
        "metadata": metadata,
        "boot-roles": ",".join(["r" * 255] * 20),
    }
    body = json.dumps(question).encode()
    assert 480_000 < len(body) < 1 << 19
    answer = service.session.post(
        f"{service.url}/providers/echo",
        data=body,
        headers={"Content-Type": "application/json"},
        timeout=20,
    )
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["hostname"], told["boot_roles"]) == (question["hostname"], ["r" * 255] * 20)
