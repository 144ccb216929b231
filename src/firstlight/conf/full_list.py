"""Lists in which an empty item is a mistake: an empty secret fits everybody."""

from typing import Any

from oslo_config import cfg, types


class FullList(types.List):
    """A list of words; the file's value is not in the message about one that is empty."""

    def __call__(self, value: Any) -> list[Any]:
        """The words.

        Raises:
            ValueError: there is an empty one among them.
        """
        words: list[Any] = super().__call__(value)
        if not all(str(word).strip() for word in words):
            raise ValueError("an item of the list is empty; take the extra comma out")
        return words


def full_list(name: str, **known: Any) -> cfg.Opt:
    """An option that is such a list; `known` is what ListOpt takes."""
    return cfg.Opt(name, type=FullList(), **known)
