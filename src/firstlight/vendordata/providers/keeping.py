"""The option that nearly every provider has."""

from oslo_config import cfg


def max_age(seconds: int, reason: str) -> cfg.IntOpt:
    """``max_age``, by default `seconds`; `reason` says why."""
    return cfg.IntOpt(
        "max_age",
        default=seconds,
        min=0,
        help=f"Seconds for which an answer may be kept. {reason}",
    )
