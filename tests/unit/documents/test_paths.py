"""What a request target means (metadata-api §1.2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstlight.documents import segments


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("", ()),
        ("/", ()),
        ("//", ()),
        ("///", ()),
        ("/.", ()),
        ("/foo/..", ()),
        ("/../..", ()),
        ("/latest//", ("latest",)),
        ("//latest", ("latest",)),
        ("/openstack//latest//meta_data.json/", ("openstack", "latest", "meta_data.json")),
        ("/latest/meta-data/../user-data", ("latest", "user-data")),
        ("/openstack/latest/../2012-08-10", ("openstack", "2012-08-10")),
        ("/openstack?x=/latest", ("openstack",)),
        ("/%6fpenstack%2Flatest", ("openstack", "latest")),
        ("/latest/%2e%2e/openstack", ("openstack",)),
        ("http://169.254.169.254/openstack", ("openstack",)),
        ("http://169.254.169.254", ()),
        ("/Latest", ("Latest",)),
    ],
)
def test_targets_are_normalised(target, expected):
    """Each row of the sheet, and what a deployed WSGI stack does before it."""
    assert segments(target) == expected


@given(st.text())
def test_no_target_is_too_strange(target):
    """Whatever is sent, segments never hold a slash's work: no empty one, no dots."""
    assert not {"", ".", ".."} & set(segments("/" + target))
