"""Every answer that is not a document: status, sentence, and the three bodies it may have.

The bodies are those of the WebOb exceptions that Nova's API raises (metadata-api §2.4): which of
the three a client gets depends on its ``Accept``.
"""

import html
import json
import re
from http import HTTPStatus

from firstlight.httpd.protocol.messages import TEXT, Request, Response

NOT_FOUND = "The resource could not be found."
UNKNOWN_ERROR = "An unknown error has occurred. Please try your request again."
CONFLICT = "There was a conflict when trying to complete your request."

_HTML_TYPE = b"text/html; charset=UTF-8"
_JSON_TYPE = b"application/json"
_HTML = """<html>
 <head>
  <title>{status}</title>
 </head>
 <body>
  <h1>{status}</h1>
  {sentence}<br /><br />



 </body>
</html>"""


class HttpError(Exception):
    """The request is not answered with a document but with `status` and a sentence."""

    def __init__(
        self, status: int, sentence: str, *, headers: tuple[tuple[bytes, bytes], ...] = ()
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.headers = headers

    def response(self, request: Request) -> Response:
        """The response in the form that the request accepts."""
        if request.method == "OPTIONS":
            # oslo.middleware's CORS filter, in front of Nova, makes this of every failing OPTIONS.
            return Response(200, b"", b"")
        if request.method == "HEAD":
            return Response(self.status, b"", _HTML_TYPE, self.headers)
        render, content_type = _FORMS[_preferred(request.header(b"accept"))]
        status = f"{self.status} {HTTPStatus(self.status).phrase}"
        return Response(
            self.status, render(status, self.sentence).encode(), content_type, self.headers
        )


def not_found() -> HttpError:
    """The one 404: unknown path, instance and tenant cannot be told apart."""
    return HttpError(404, NOT_FOUND)


def try_later(sentence: str, *, seconds: int = 1) -> HttpError:
    """A 503 that says when to come back."""
    return HttpError(503, sentence, headers=((b"Retry-After", str(seconds).encode()),))


def _as_html(status: str, sentence: str) -> str:
    return _HTML.format(status=status, sentence=html.escape(sentence, quote=True))


def _as_json(status: str, sentence: str) -> str:
    title = status.partition(" ")[2]
    message = f"{sentence}<br /><br />\n\n\n"
    return json.dumps({"message": message, "code": status, "title": title})


def _as_text(status: str, sentence: str) -> str:
    without_tags = re.sub(r"<[^>]*>", "", sentence)
    return f"{status}\n\n{without_tags}\n\n   "


_FORMS = {"html": (_as_html, _HTML_TYPE), "json": (_as_json, _JSON_TYPE), "text": (_as_text, TEXT)}


def _preferred(accept: str | None) -> str:
    """Negotiate (RFC 9110 §12.5.1) between our two offers; text where neither is acceptable."""
    if not accept:
        return "text"
    ranges = dict(_media_ranges(accept))
    html_quality = _quality(ranges, "text/html", "text/*")
    json_quality = _quality(ranges, "application/json", "application/*")
    if max(html_quality, json_quality) <= 0:
        return "text"
    return "html" if html_quality >= json_quality else "json"


def _media_ranges(accept: str) -> list[tuple[str, float]]:
    ranges = []
    for part in accept.lower().split(","):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        ranges.append((media, _q(parameters)))
    return ranges


def _q(parameters: list[str]) -> float:
    value = next((p[2:] for p in parameters if p.startswith("q=")), "1")
    try:
        return float(value)
    except ValueError:
        return 0.0


def _quality(ranges: dict[str, float], *names: str) -> float:
    return next((ranges[name] for name in (*names, "*/*") if name in ranges), 0.0)
