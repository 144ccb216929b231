"""The two contracts that Pollinate had, told apart by what a class can be called with.

* Until 2023: ``Class(context)`` or ``Class(context, keystone_client)``, then ``run()``. The name
  may be an attribute of the object only.
* Since then: ``Class()``, then ``run(context)``. The name is an attribute of the class.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Question = Mapping[str, Any]
MakeClient = Callable[[], Any]

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


_ARGUMENTS = 2  # of a constructor: the context, and a client of Keystone


class OddPlugin(Exception):
    """A class that can be called in neither way; the message says what it lacks."""


class PluginCall:
    """One question to a plug-in of the class `kind`, however it wants to be asked.

    Raises:
        OddPlugin: it is no plug-in.
    """

    def __init__(self, kind: type) -> None:
        run = getattr(kind, "run", None)
        if not callable(run):
            raise OddPlugin("it has no method run")
        self._kind = kind
        self._run_takes_context = _most(run) > _bound_to(kind)
        if (least := _least(kind)) > _ARGUMENTS:
            raise OddPlugin("its constructor wants more than (context, keystone_client)")
        # Who is told by run needs nothing to be made from, unless he insists.
        self._made_from = least if self._run_takes_context else min(_most(kind), _ARGUMENTS)

    def __call__(self, question: Question, client: MakeClient) -> Any:
        """What the plug-in answers; `client` is called if it wants a Keystone client."""
        made = self.made(question, client)
        return made.run(dict(question)) if self._run_takes_context else made.run()

    def made(self, question: Question, client: MakeClient) -> Any:
        """A plug-in for this question, not asked yet."""
        arguments: list[Any] = [dict(question)] if self._made_from else []
        if self._made_from == _ARGUMENTS:
            arguments.append(client())
        return self._kind(*arguments)


def name_of(kind: type, call: PluginCall, sample: Question) -> str:
    """The key under which Pollinate answered what `kind` says.

    Raises:
        OddPlugin: it has none.
    """
    name = getattr(kind, "name", None)
    if not isinstance(name, str):
        name = _told_name(call, sample)
    if not isinstance(name, str) or not name.isprintable() or not name:
        raise OddPlugin('it has no name; give the class an attribute such as name = "site"')
    return name


def _told_name(call: PluginCall, sample: Question) -> Any:
    try:
        return getattr(call.made(sample, lambda: None), "name", None)
    except Exception as error:  # it is anybody's code, made for nobody yet
        raise OddPlugin(
            f"it cannot be made to ask for its name ({type(error).__name__}: {error}); give the "
            'class an attribute such as name = "site"'
        ) from error


def _bound_to(kind: type) -> int:
    """How many of the arguments of ``kind.run`` are not the caller's."""
    found = inspect.getattr_static(kind, "run")
    return 0 if isinstance(found, staticmethod | classmethod) else 1


def _positional(function: Callable[..., Any]) -> Sequence[inspect.Parameter]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a class of C, say: it is made from nothing
        return ()
    return [one for one in parameters if one.kind in _POSITIONAL]


def _most(function: Callable[..., Any]) -> int:
    return len(_positional(function))


def _least(function: Callable[..., Any]) -> int:
    return sum(one.default is inspect.Parameter.empty for one in _positional(function))
