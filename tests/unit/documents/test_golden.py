"""What real Nova answered, answered by ours: path by path, byte by byte.

The files in tests/golden were recorded by tools/record-golden; tests/lab/test_nova_golden.py asks
real Nova again.
"""

import json
import re

import msgspec
import pytest

from firstlight.documents import Documents, TreeSettings, seed, segments
from firstlight.instance import Answer, Instance, State
from lab import golden
from lab.asking import Reply

# What real Nova did not answer at all is an error inside it; each is a row of metadata-api §8 that
# lets us say 404.
UNANSWERED_BY_NOVA = {
    r"/latest/(user-data|meta-data/.+)/[^/]+": "404 instead of bare 500 for too-deep paths",
    r"/openstack/[^/]+/content": "404 instead of bare 500 for <ver>/content",
}


def ours(path: str, documents: Documents, answers: dict[str, Answer], requester: str | None):
    """Our reply in the form of a recorded one."""
    document = documents.get(segments(path), answers)
    if document is None:
        return golden.NOT_FOUND
    body = document.body(lambda: seed(bytes), requester)
    return Reply(200, document.content_type.decode(), golden.marked(body))


@pytest.mark.parametrize("name", golden.names())
def test_every_path_answers_as_nova_does(name):
    """Status, type and body are Nova's; where Nova breaks, ours is the 404 that §8 allows."""
    recorded = golden.read(name)
    settings = recorded["settings"]
    documents = Documents(
        msgspec.convert(recorded["instance"], Instance),
        TreeSettings(
            dhcp_domain=settings["dhcp_domain"],
            vendordata_providers=tuple(settings["vendordata_providers"]),
        ),
        static={} if settings["static"] is None else settings["static"],
        today="2026-11-21",
    )
    answers = {
        target: Answer(value=value, state=State.OK, fetched=0.0)
        for target, value in settings["values"].items()
    }
    wrong = {}
    for path, theirs in golden.replies_from_json(recorded).items():
        mine = ours(path, documents, answers, recorded["requester"])
        if theirs.status is None:
            assert any(re.fullmatch(row, path) for row in UNANSWERED_BY_NOVA), path
        wanted = golden.NOT_FOUND if theirs.status is None else theirs
        if mine != wanted:
            wrong[path] = (wanted, mine)
    assert wrong == {}, json.dumps(sorted(wrong), indent=1)


def test_goldens_cover_what_matters():
    """A suite that lost its files would be green: there are these many, with these many paths."""
    names = golden.names()
    assert len(names) >= 40
    assert sum(len(golden.replies_from_json(golden.read(name))) for name in names) > 20_000
