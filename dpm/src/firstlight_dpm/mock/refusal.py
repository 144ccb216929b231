"""How the mock says no."""


class Refusal(Exception):
    """The HMC's answer to a request it does not carry out."""

    def __init__(self, status: int, reason: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message


def unless(holds: object, status: int, reason: int, message: str) -> None:
    """Refuse unless the condition holds."""
    if not holds:
        raise Refusal(status, reason, message)
