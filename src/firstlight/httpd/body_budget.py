"""One budget of bytes for all that a server holds of requests that it has not answered."""


class BodyBudget:
    """Counts bytes of bodies that are unfinished, wait in line, or are being answered.

    `size` is how many there may be before :meth:`take` says no; `taken` how many there are.
    """

    __slots__ = ("size", "taken")

    def __init__(self, size: int) -> None:
        self.size = size
        self.taken = 0

    def take(self, size: int) -> bool:
        """Count `size` bytes more; False, and nothing is counted, if that is too many."""
        if size and self.taken + size > self.size:
            return False
        self.taken += size
        return True

    def count(self, size: int) -> None:
        """Count bytes that cannot be refused any more, even past `size`."""
        self.taken += size

    def give_back(self, size: int) -> None:
        """Count `size` bytes less."""
        self.taken -= size
