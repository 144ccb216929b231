"""What is made of a request's body."""

import json

import pytest

from firstlight.vendordata.http.request_body import BadBody, read_context

IDS = {"project-id": "p", "instance-id": "i"}


def test_what_nova_sends() -> None:
    """Nova's seven keys arrive as the context's seven fields."""
    context = read_context(
        json.dumps(
            IDS
            | {
                "image-id": "m",
                "user-data": "Zm9v",
                "hostname": "foo",
                "metadata": {"role": "web"},
                "boot-roles": "member,reader",
            }
        ).encode()
    )
    assert (context.project_id, context.instance_id, context.image_id) == ("p", "i", "m")
    assert (context.user_data, context.hostname) == ("Zm9v", "foo")
    assert dict(context.metadata) == {"role": "web"}
    assert context.boot_roles == ("member", "reader")


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"image-id": None, "user-data": None, "hostname": None, "metadata": None},
        {"image-id": "", "boot-roles": "", "unknown": [1]},
    ],
)
def test_what_may_be_missing(more: dict[str, object]) -> None:
    """The two ids are enough; null is missing, and what is not known is ignored."""
    context = read_context(json.dumps(IDS | more).encode())
    assert (context.image_id, context.user_data, context.hostname) == ("", None, "")
    assert (dict(context.metadata), context.boot_roles) == ({}, ())


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"{", "not JSON"),
        (b'{"project-id": "\xff"}', "not JSON"),
        (b'{"x": ' + b"[" * 100_000, "nested too deeply"),
        (b"[]", "Expected `object`"),
        (b'{"instance-id": "i"}', "no project-id"),
        (b'{"project-id": "p"}', "no instance-id"),
        (b'{"project-id": "", "instance-id": "i"}', "no project-id"),
        (b'{"project-id": "p", "instance-id": "i\\nforged"}', "control characters"),
        (b'{"project-id": 1, "instance-id": "i"}', "project-id"),
        (b'{"project-id": "p", "instance-id": "i", "metadata": {"a": 1}}', "metadata"),
        (b'{"project-id": "p", "instance-id": "i", "boot-roles": ["a"]}', "boot-roles"),
    ],
)
def test_what_is_refused(body: bytes, said: str) -> None:
    """A body that cannot be understood is refused with the reason and what to send instead."""
    with pytest.raises(BadBody, match="send a JSON object") as caught:
        read_context(body)
    assert said in str(caught.value)


def test_a_context_cannot_be_changed() -> None:
    """Providers share a context, so not even its metadata can be written to."""
    context = read_context(json.dumps(IDS | {"metadata": {"a": "b"}}).encode())
    with pytest.raises(TypeError):
        context.metadata["a"] = "c"  # type: ignore[index]
