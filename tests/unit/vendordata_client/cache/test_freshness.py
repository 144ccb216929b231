"""How long an answer may be kept, by its headers."""

from email.utils import formatdate

import pytest
from requests.structures import CaseInsensitiveDict

from firstlight.vendordata_client.cache.freshness import CacheLifetime, cache_lifetime, says_nothing
from firstlight.vendordata_client.policy import CachePolicy

NOW = 1_800_000_000.0


def told(**headers: str) -> CacheLifetime:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return cache_lifetime(CaseInsensitiveDict(named), NOW)


@pytest.mark.parametrize(
    ("control", "seconds"),
    [
        ("max-age=60", 60),
        ("MAX-AGE=60", 60),
        ('max-age="60"', 60),
        ("private, max-age=60, foo=bar", 60),
        ("max-age=60, max-age=5", 60),
        ("s-maxage=5, max-age=60", 60),
        ("max-age=0", 0),
        ("max-age=-1", 0),
        ("max-age=soon", 0),
        ("max-age", 0),
        ("max-age=" + "9" * 4000, 2**31),
        ("no-cache", 0),
        ("no-cache, max-age=60", 0),
        ('no-cache="X-Thing", max-age=60', 0),
        ("s-maxage=60", None),
        ("public", None),
        ("", None),
        (",,=,;;", None),
        ('x="max-age=60"', None),
    ],
)
def test_cache_control(control: str, seconds: float | None) -> None:
    """max-age counts, the shared caches' s-maxage does not; what is no number is 0."""
    assert told(Cache_Control=control).lifetime == seconds


@pytest.mark.parametrize(
    ("expires", "date", "seconds"),
    [
        (formatdate(NOW + 90, usegmt=True), None, 90),
        (formatdate(NOW + 90, usegmt=True), formatdate(NOW + 60, usegmt=True), 30),
        (formatdate(NOW - 90, usegmt=True), None, 0),
        ("0", None, 0),
        ("-1", None, 0),
        ("never", None, 0),
        (formatdate(NOW + 90, usegmt=True), "yesterday", 90),
    ],
)
def test_expires(expires: str, date: str | None, seconds: float) -> None:
    """Measured from the answer's own Date; what is no date is past."""
    headers = {"Expires": expires} | ({"Date": date} if date else {})
    assert told(**headers).lifetime == seconds


def test_max_age_beats_expires() -> None:
    """RFC 9111 §5.3."""
    assert told(Cache_Control="max-age=5", Expires="0").lifetime == 5


@pytest.mark.parametrize(("age", "seconds"), [("20", 40), ("100", 0), ("old", 60), ("", 60)])
def test_age(age: str, seconds: float) -> None:
    """What an answer has spent in a cache on the way, is spent."""
    assert told(Cache_Control="max-age=60", Age=age).lifetime == seconds


def test_who_may_keep() -> None:
    """no-store and Vary: * are not kept; private and no-store are not for anybody else."""
    assert (told().keep, told().private) == (True, False)
    private = told(Cache_Control="private")
    assert (private.keep, private.private) == (True, True)
    nowhere = told(Cache_Control="no-store, max-age=60")
    assert (nowhere.keep, nowhere.private) == (False, True)
    for vary in ("*", "Accept, *"):
        assert not told(Cache_Control="max-age=60", Vary=vary).keep


@pytest.mark.parametrize("control", ["must-revalidate, max-age=1", "no-cache", "no-store"])
def test_never_stale(control: str) -> None:
    """These are not served once they are stale, whatever the operator allows."""
    keeping = CachePolicy(ttl=60, while_revalidate=60, if_error=60)
    said = told(Cache_Control=control)
    assert not said.stale
    assert (keeping.refreshing(said), keeping.standing_in(said)) == (0, 0)


@pytest.mark.parametrize(
    ("tag", "kept"),
    [
        ('"a"', '"a"'),
        ('W/"a"', 'W/"a"'),
        ('""', '""'),
        ("a", None),
        ('"a" , "b"', None),
        ('"a b"', None),
        ('"' + "a" * 1001 + '"', None),
        ('"a"\r\nX: y', None),
    ],
)
def test_etag(tag: str, kept: str | None) -> None:
    """Only what is an entity tag, and of bounded length, is ever sent back."""
    assert told(ETag=tag).etag == kept


def test_silence() -> None:
    """A 304 that says nothing about being kept leaves it at what was said before."""
    assert says_nothing(CaseInsensitiveDict({"ETag": '"a"', "Date": "x"}))
    assert not says_nothing(CaseInsensitiveDict({"cache-control": "max-age=1"}))


@pytest.mark.parametrize(
    ("keeping", "control", "fresh", "refreshing", "standing_in"),
    [
        (CachePolicy(), "", 0, 0, 0),
        (CachePolicy(), "max-age=60", 60, 0, 3600),
        (CachePolicy(), "stale-if-error=9", 0, 0, 9),
        (CachePolicy(ttl=15), "", 15, 0, 3600),
        (CachePolicy(ttl=15, if_error=0), "", 15, 0, 0),
        (CachePolicy(ttl=15), "max-age=60, stale-while-revalidate=7, stale-if-error=8", 60, 7, 8),
        (CachePolicy(ttl=15, while_revalidate=3), "max-age=0", 0, 3, 3600),
        (CachePolicy(ttl=15, max_ttl=20), "max-age=60, stale-if-error=90", 20, 0, 20),
        (CachePolicy(ttl=15, max_ttl=0), "max-age=60, stale-if-error=90", 0, 0, 0),
        (CachePolicy(ttl=15), "no-store", 0, 0, 0),
    ],
)
def test_terms(
    keeping: CachePolicy, control: str, fresh: float, refreshing: float, standing_in: float
) -> None:
    """The answer's word first, then the operator's, never beyond the operator's bound."""
    said = told(Cache_Control=control)
    found = (keeping.fresh(said), keeping.refreshing(said), keeping.standing_in(said))
    assert found == (fresh, refreshing, standing_in)
