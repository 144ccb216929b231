"""The suite that every provider should pass; inherit it and give it your provider.

::

    class TestMine(ProviderSuite):
        @pytest.fixture
        def provider(self):
            return Mine(...)

        @pytest.fixture
        def known(self):
            return a_context(project_id="one that the provider has something to say about")

Needs pytest, which the service itself does not. What a provider says is asked for through
:func:`answer_of`, so a suite may also be run against a provider that is slow to make.
"""

import json
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from typing import Any

import msgspec
import pytest

from firstlight.vendordata.cloud_init import cloud_config
from firstlight.vendordata.contract import Context, Provider, ProviderFailed
from firstlight.vendordata.dispatch.request_cache import RequestCache

_CALLERS = 8


def a_context(**known: Any) -> Context:
    """An instance like any other, with what is `known` about it instead of the sample's values."""
    sample = Context(
        project_id="039d104b7a5c4631b4ba6524d0b9e981",
        instance_id="2ae914e9-f5ab-44ce-b2a2-dcf8373d899d",
        image_id="75a74383-f276-4774-8074-8c4e3ff2ca64",
        hostname="foo",
        metadata={"role": "web"},
        boot_roles=("member", "reader"),
    )
    return msgspec.structs.replace(sample, **known)


def answer_of(provider: Provider, context: Context) -> Mapping[str, Any]:
    """What `provider` says to a request of its own; nothing is ``{}``, however it says so."""
    return provider.provide(msgspec.structs.replace(context, shared=RequestCache())) or {}


class ProviderSuite:
    """Promises of the contract, one per test.

    Fixtures to give: `provider`, `known`. To change where they do not fit: `stranger`, `failing`.
    """

    #: Seconds within which an answer must come. Nova waits for 5, and the service gives up before.
    patience: float = 4.5

    @pytest.fixture
    def provider(self) -> Provider:
        """The provider under test."""
        raise NotImplementedError("give a fixture `provider`")

    @pytest.fixture
    def known(self) -> Context:
        """An instance that the provider has something to say about."""
        raise NotImplementedError("give a fixture `known`")

    @pytest.fixture
    def stranger(self) -> Context | None:
        """An instance it has nothing to say about; None if there is no such instance."""
        return a_context(project_id="0" * 32, instance_id="00000000-0000-0000-0000-000000000000")

    @pytest.fixture
    def failing(self) -> Provider | None:
        """The same provider while what it depends on is away; None if it depends on nothing."""
        return None

    def test_it_says_something(self, provider: Provider, known: Context) -> None:
        """An instance it knows gets a mapping with something in it."""
        assert answer_of(provider, known), "nothing was said about the instance of `known`"

    def test_a_stranger_gets_nothing(self, provider: Provider, stranger: Context | None) -> None:
        """None or an empty mapping, and no error: nothing is not failed."""
        if stranger is None:
            pytest.skip("it has something to say about every instance")
        assert answer_of(provider, stranger) == {}

    def test_the_answer_is_json(self, provider: Provider, known: Context) -> None:
        """Text for keys; text, finite numbers, booleans, null, lists and mappings for values."""
        answer = answer_of(provider, known)
        assert isinstance(answer, Mapping)
        assert json.loads(json.dumps(answer, allow_nan=False)) == answer, "JSON changes the answer"

    def test_cloud_config_can_be_merged(self, provider: Provider, known: Context) -> None:
        """``cloud-config``, if there is one, is an object whose ``merge_how`` cloud-init knows."""
        config = answer_of(provider, known).get(cloud_config.KEY, {})
        assert cloud_config.check(config) is None

    def test_the_same_answer_again(self, provider: Provider, known: Context) -> None:
        """The same question gets the same answer while nothing has changed."""
        assert _written(provider, known) == _written(provider, known)

    def test_answers_are_the_callers(self, provider: Provider, known: Context) -> None:
        """What a caller does to an answer does not show in the next one."""
        first = answer_of(provider, known)
        before = deepcopy(dict(first))
        if isinstance(first, dict):
            _spoil(first)
        assert answer_of(provider, known) == before

    def test_the_context_stays_as_it_is(self, provider: Provider, known: Context) -> None:
        """A provider changes nothing in the question."""
        before = _fields(known)
        answer_of(provider, known)
        assert _fields(known) == before

    def test_a_bare_context_will_do(self, provider: Provider, known: Context) -> None:
        """Only the two ids are certain; without the rest it answers, or fails in words."""
        bare = Context(project_id=known.project_id, instance_id=known.instance_id)
        try:
            answer_of(provider, bare)
        except ProviderFailed as failure:
            _check_sentence(failure)

    def test_several_ask_at_once(self, provider: Provider, known: Context) -> None:
        """Callers on several threads get the answer that one gets."""
        alone = _written(provider, known)
        together = threading.Barrier(_CALLERS)

        def ask() -> str:
            together.wait()
            return _written(provider, known)

        with ThreadPoolExecutor(_CALLERS) as callers:
            answers = [callers.submit(ask) for _ in range(_CALLERS)]
        assert [answer.result() for answer in answers] == [alone] * _CALLERS

    def test_it_answers_in_time(self, provider: Provider, known: Context) -> None:
        """An answer comes while somebody still waits for it."""
        started = time.monotonic()
        answer_of(provider, known)
        assert time.monotonic() - started < self.patience

    def test_it_fails_in_words_and_in_time(self, failing: Provider | None, known: Context) -> None:
        """What it cannot find out is a ProviderFailed with a sentence, while somebody waits."""
        if failing is None:
            pytest.skip("it depends on nothing")
        started = time.monotonic()
        with pytest.raises(ProviderFailed) as caught:
            failing.provide(known)
        assert time.monotonic() - started < self.patience
        _check_sentence(caught.value)

    def test_whether_it_is_ready_is_a_sentence(self, provider: Provider) -> None:
        """Nothing, or a ProviderFailed that says what is wrong."""
        try:
            provider.ready()
        except ProviderFailed as failure:
            _check_sentence(failure)

    def test_it_says_who_may_keep_an_answer(self, provider: Provider) -> None:
        """`max_age` is None or whole seconds; `confidential` is a boolean."""
        assert provider.max_age is None or (
            isinstance(provider.max_age, int) and provider.max_age >= 0
        )
        assert isinstance(provider.confidential, bool)

    def test_its_options_explain_themselves(self, provider: Provider) -> None:
        """Each option has a help text for the sample file."""
        assert all(option.help for option in provider.options)

    def test_it_closes(self, provider: Provider) -> None:
        """Closing twice does no harm."""
        provider.close()
        provider.close()


def _written(provider: Provider, context: Context) -> str:
    return json.dumps(answer_of(provider, context), sort_keys=True)


def _fields(context: Context) -> dict[str, Any]:
    return msgspec.structs.asdict(context) | {"metadata": dict(context.metadata)}


def _spoil(answer: dict[str, Any]) -> None:
    for value in answer.values():
        if isinstance(value, (dict, list)):
            value.clear()
    answer.clear()


def _check_sentence(failure: ProviderFailed) -> None:
    text = str(failure)
    assert " " in text.strip(), f"a sentence should say what was attempted, not {text!r}"
