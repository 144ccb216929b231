"""One line in the log of ``firstlight.audit`` for each secret given out: who got what, and when.

The secret itself is not in it.
"""

import logging

from firstlight.vendordata.contract import Context
from firstlight.vendordata.http.responses import ServiceReply

LOG = logging.getLogger("firstlight.audit")


def note(reply: ServiceReply, context: Context, *, request: str, caller: str) -> None:
    """`reply` goes to `caller`, a user's id in Keystone, for the instance of `context`."""
    for provider in reply.secrets:
        LOG.info(
            "[%s] the secret of provider %s was given to instance %s, project %s, image %s, "
            "asked by user %s",
            request,
            provider,
            context.instance_id,
            context.project_id,
            _said(context.image_id),
            _said(caller),
        )


def _said(text: str) -> str:
    """`text` as one word of a line, whoever sent it; ``-`` for nothing."""
    return text if text.isprintable() and text and " " not in text else ascii(text) if text else "-"
