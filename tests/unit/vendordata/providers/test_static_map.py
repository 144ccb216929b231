"""The provider `static_map`: rules, their file, and the contract."""

import logging
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from firstlight.conf import ConfigError
from firstlight.vendordata.contract import Context, Provider
from firstlight.vendordata.providers.static_map import StaticMap
from firstlight.vendordata.providers.static_map.reading import RulesInvalid, parse_rules
from firstlight.vendordata.providers.static_map.rules import answer
from firstlight.vendordata.testing import ProviderSuite, a_context

RULES = """\
- match: {project: 039d104b7a5c4631b4ba6524d0b9e981}
  data:
    proxy: http://proxy.example:3128
    cloud-config: {packages: [jq]}
"""


def make(file: Path, **options: Any) -> StaticMap:
    conf = {"file": str(file), "max_age": 60, "confidential": False} | options
    return StaticMap.from_conf(SimpleNamespace(**conf), SimpleNamespace())  # type: ignore[arg-type]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "map.yaml"
    path.write_text(RULES)
    return path


class TestStaticMap(ProviderSuite):
    """The static map keeps the contract."""

    test_it_fails_in_words_and_in_time = None  # it depends on nothing that could be away

    @pytest.fixture
    def provider(self, file: Path) -> Provider:
        return make(file)

    @pytest.fixture
    def known(self) -> Context:
        return a_context()


@pytest.mark.parametrize(
    ("match", "fits"),
    [
        ("{}", True),
        ("{project: 039d104b7a5c4631b4ba6524d0b9e981}", True),
        ("{project: [x, 039d104b7a5c4631b4ba6524d0b9e981]}", True),
        ("{project: 039d*}", False),
        ("{project: []}", False),
        ("{image: 75a74383-f276-4774-8074-8c4e3ff2ca64}", True),
        ("{image: ''}", False),
        ("{hostname: f?o}", True),
        ("{hostname: [web*, foo]}", True),
        ("{hostname: F*}", False),
        ("{metadata: {role: web}}", True),
        ("{metadata: {role: w*}}", True),
        ("{metadata: {role: [db, web]}}", True),
        ("{metadata: {role: web, tier: '*'}}", False),
        ("{boot_roles: reader}", True),
        ("{boot_roles: [admin, member]}", True),
        ("{boot_roles: admin}", False),
        ("{hostname: foo, metadata: {role: web}, boot_roles: member}", True),
        ("{hostname: foo, metadata: {role: web}, boot_roles: admin}", False),
    ],
)
def test_match(match: str, fits: bool) -> None:
    """Every line of a match must fit; a list is any of, a glob is a glob, ids are exact."""
    rules = parse_rules(f"- match: {match}\n  data: {{x: 1}}\n", "map")
    assert answer(rules, a_context()) == ({"x": 1} if fits else {})


def test_rules_merge_in_order() -> None:
    """Dictionaries deeply, lists appended, a later scalar wins; no match matches everything."""
    rules = parse_rules(
        "- data: {a: {x: 1}, l: [1], s: old}\n- data: {a: {y: 2}, l: [2], s: new}\n", "map"
    )
    assert answer(rules, a_context()) == {"a": {"x": 1, "y": 2}, "l": [1, 2], "s": "new"}


def test_stop() -> None:
    """A rule that stops is the last, if it matches."""
    rules = parse_rules(
        "- {match: {hostname: bar}, data: {a: 1}, stop: true}\n"
        "- {data: {b: 1}, stop: true}\n"
        "- {data: {c: 1}}\n",
        "map",
    )
    assert answer(rules, a_context()) == {"b": 1}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "map:1: one YAML document"),
        ("a: 1\n", "map:1: Expected `array`, got `object`"),
        ("- match: {}\n", "map:1: Object missing required field `data`"),
        ("- data: {}\n- data: {}\n  stpo: true\n", "map:2: Object contains unknown field `stpo`"),
        ("- data: {}\n  match:\n    hostname: 3\n", "map:3: Expected"),
        ("- data: {}\n  match:\n    metadata:\n      a: {}\n", "map:3: Expected"),
        ("- data: {}\n  data: {}\n", "map:2: data is given twice"),
        ("- data: {\n", "map:2: "),
        ("- data:\n    a: 1\n    cloud-config: []\n", "map:3: cloud-config is not an object"),
        ("- data:\n    cloud-config: {merge_how: x}\n", "map:2: cloud-config: merge_how"),
        ("- data: {1: !!python/object:os.system x}\n", "map:1: the tag"),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str, said: str) -> None:
    """A file with a mistake is refused whole: file, line, reason."""
    with pytest.raises(RulesInvalid) as caught:
        parse_rules(text, "map")
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize("spoil", [lambda file: file.unlink(), lambda file: file.write_text("{")])
def test_a_bad_file_stops_the_start(file: Path, spoil: Callable[[Path], Any]) -> None:
    """No file, or a wrong one, is the operator's to mend before anything is served."""
    spoil(file)
    with pytest.raises(ConfigError, match=r"map\.yaml"):
        make(file)


def test_no_file_at_all() -> None:
    """The option is needed, and the message names it."""
    with pytest.raises(ConfigError, match="file is not set"):
        make("")  # type: ignore[arg-type]


def test_an_edit_shows_at_once(file: Path) -> None:
    """A changed file is read again, whether it was written in place or replaced."""
    provider = make(file)
    file.write_text("- data: {edited: in place}\n")
    assert provider.provide(a_context()) == {"edited": "in place"}
    other = file.with_name("new.yaml")
    other.write_text("- data: {edited: replaced}\n")
    other.replace(file)
    assert provider.provide(a_context()) == {"edited": "replaced"}


@pytest.mark.parametrize("spoil", [lambda file: file.unlink(), lambda file: file.write_text("{")])
def test_a_broken_edit_is_refused(
    file: Path, spoil: Callable[[Path], Any], caplog: pytest.LogCaptureFixture
) -> None:
    """The last good version stays, and the log says once what is wrong; a mended one is taken."""
    provider = make(file)
    before = provider.provide(a_context())
    spoil(file)
    assert [provider.provide(a_context()) for _ in range(3)] == [before] * 3
    (record,) = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert "map.yaml" in record.getMessage()
    file.write_text("- data: {mended: yes it is}\n")
    assert provider.provide(a_context()) == {"mended": "yes it is"}


def test_who_may_keep_it(file: Path) -> None:
    """The operator says how long, and whether it is confidential."""
    provider = make(file, max_age=7, confidential=True)
    assert (provider.max_age, provider.confidential) == (7, True)
