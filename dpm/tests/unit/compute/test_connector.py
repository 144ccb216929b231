"""What Cinder is told of a server."""

from firstlight_dpm.compute.connector import connector


def test_connector():
    """The server's own ports, and a host object of its own on the array."""
    told = connector("88dae9fa-0dc6-49e3-8c29-3abc41e99ac9", ["c05076ffe5000001"], "192.0.2.1")
    assert told["host"] == "88dae9fa-0dc6-49e3-8c29-3abc41e99ac9"
    assert told["wwpns"] == told["wwnns"] == ["c05076ffe5000001"]
    assert told["ip"] == "192.0.2.1"
    assert (told["platform"], told["os_type"]) == ("s390x", "linux")
    assert told["multipath"] is True
    assert told["do_local_attach"] is False
