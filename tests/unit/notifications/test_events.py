"""Which instance a notification is about, in both of Nova's forms, and nothing else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstlight.notifications.events import form, instance_of

A = "00000000-0000-4000-8000-00000000000a"
VERSIONED = {"nova_object.name": "InstancePayload", "nova_object.data": {"uuid": A}}
UNVERSIONED = {"instance_id": A, "display_name": "a"}

ACTIONS = """
create.end update delete.end soft_delete.end restore.end rebuild.start rebuild.end
rebuild_scheduled metadata.update power_on.end power_off.end shutdown.end reboot.end reboot.error
interface_attach.end interface_detach.end volume_attach.end volume_detach.end volume_swap.end
resize.end resize_confirm.end resize_revert.end resize_finish.end live_migration_post.end
live_migration_post_dest.end live_migration_rollback.end evacuate shelve.end shelve_offload.end
unshelve.end suspend.end resume.end pause.end unpause.end rescue.end unrescue.end lock unlock
trigger_crash_dump.end share_attach.end share_detach.end what-comes-next
""".split()


@pytest.mark.parametrize("action", ACTIONS)
def test_any_event_of_an_instance_names_it(action):
    """Both forms, whatever happened; also what later releases add."""
    assert instance_of(f"instance.{action}", VERSIONED) == A
    assert instance_of(f"compute.instance.{action}", UNVERSIONED) == A


@pytest.mark.parametrize(
    "event",
    [
        "instance.exists",
        "compute.instance.exists",
        "volume.usage",
        "service.update",
        "keypair.create.end",
        "compute_task.build_instances.error",
        "scheduler.select_destinations.start",
        "compute.metrics.update",
        "instances.update",
        "",
        None,
        7,
    ],
)
def test_other_events_name_none(event):
    """An audit changes nothing, and other objects are none of ours."""
    assert form(event) is None
    assert instance_of(event, VERSIONED | UNVERSIONED) is None


@pytest.mark.parametrize(
    "payload",
    [
        None,
        [],
        "x",
        {},
        {"nova_object.data": None, "instance_id": None},
        {"nova_object.data": {"uuid": 7}, "instance_id": 7},
        {"nova_object.data": {"uuid": "../x"}, "instance_id": A.upper()},
    ],
)
def test_a_payload_that_names_none(payload):
    """What else the broker's users put there is passed over."""
    assert instance_of("instance.update", payload) is None
    assert instance_of("compute.instance.update", payload) is None


_json = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from(["instance.update", "compute.instance.update"]) | _json,
    _json | st.builds(lambda inner: {"nova_object.data": inner, "instance_id": inner}, _json),
)
def test_anything_is_an_answer(event, payload):
    """No message makes the listener fail."""
    assert instance_of(event, payload) is None
