"""What a stranger may cost: sizes in bytes, times in seconds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one server; each default says why it is what it is.

    The times are looked after by one coarse sweep, so they are kept to within `sweep` seconds.
    """

    target: int = 8 * 1024  # the request target; nginx and Apache stop at 8 KiB too
    head: int = 64 * 1024  # request line, header fields, trailers; room for a long token, no more
    fields: int = 100  # header fields, trailers among them; Apache's and http.client's number
    body: int = 1024 * 1024  # Nova sends user data and metadata: up to 0.5 MiB, as JSON
    bodies: int = 32 * 1024 * 1024  # held of all requests together; see BodyBudget
    pipeline: int = 16  # requests that may wait behind an unfinished one of their connection
    write_buffer: int = 64 * 1024  # unsent bytes past which a connection is not read

    connections: int = 8192  # of one listener; past it the kernel's queue holds the others
    backlog: int = 4096  # that queue; a rack that powers up comes at once

    head_time: float = 10.0  # for a whole head; guests give up after 10 seconds themselves
    body_time: float = 20.0  # for a whole body; 50 KiB/s for the largest
    answer_time: float = 9.0  # for a cold answer; a guest's cloud-init waits for 10
    idle_time: float = 60.0  # between two requests; longer than haproxy's and Neutron's pauses
    write_time: float = 30.0  # for a reader to take what is over the write buffer
    linger_time: float = 2.0  # for a refused sender to read the refusal
    sweep: float = 0.25  # between two looks at the clock for all connections

    drain_time: float = 15.0  # for what is in flight when the server stops
    drain_idle: float = 1.0  # for a kept connection to say one thing more when the server stops

    def __post_init__(self) -> None:
        """Nothing here works at zero or below."""
        for name in self.__slots__:
            if getattr(self, name) <= 0:
                raise ValueError(f"Limits.{name} must be above zero")
        if self.target > self.head:
            raise ValueError("Limits.target is a part of Limits.head and cannot be above it")
