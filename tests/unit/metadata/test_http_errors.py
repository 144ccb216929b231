"""The three bodies of an error, byte for byte (metadata-api §2.4)."""

import json

import pytest

from firstlight.httpd.protocol.messages import Request
from firstlight.metadata.http_errors import HttpError, not_found, try_later

TEXT = b"404 Not Found\n\nThe resource could not be found.\n\n   "
HTML = (
    b"<html>\n <head>\n  <title>404 Not Found</title>\n </head>\n <body>\n"
    b"  <h1>404 Not Found</h1>\n  The resource could not be found.<br /><br />\n\n\n\n"
    b" </body>\n</html>"
)
JSON = (
    b'{"message": "The resource could not be found.<br /><br />\\n\\n\\n", '
    b'"code": "404 Not Found", "title": "Not Found"}'
)


def ask(accept: bytes | None, method: str = "GET") -> Request:
    return Request(method, "/x", {} if accept is None else {b"accept": accept})


@pytest.mark.parametrize(
    ("accept", "body", "content_type"),
    [
        (None, TEXT, b"text/plain; charset=UTF-8"),
        (b"", TEXT, b"text/plain; charset=UTF-8"),
        (b"text/plain", TEXT, b"text/plain; charset=UTF-8"),
        (b"image/png", TEXT, b"text/plain; charset=UTF-8"),
        (b"*/*", HTML, b"text/html; charset=UTF-8"),
        (b"text/html", HTML, b"text/html; charset=UTF-8"),
        (b"text/*", HTML, b"text/html; charset=UTF-8"),
        (b"application/json", JSON, b"application/json"),
        (b"text/html;q=0.5, application/json", JSON, b"application/json"),
        (b"application/json;q=0.5, */*", HTML, b"text/html; charset=UTF-8"),
        (b"text/html;q=0, application/json;q=0", TEXT, b"text/plain; charset=UTF-8"),
        (b";;;q=x,,", TEXT, b"text/plain; charset=UTF-8"),
    ],
)
def test_the_body_is_the_one_accepted(accept, body, content_type):
    """Each Accept gets its form; what nobody offers gets text."""
    response = not_found().response(ask(accept))
    assert (response.status, response.body, response.content_type) == (404, body, content_type)


def test_sizes_are_those_of_the_sheet():
    """52, 154 and 112 bytes."""
    assert (len(TEXT), len(HTML), len(JSON)) == (52, 154, 112)


def test_head_has_no_body_and_no_length():
    """An error answers HEAD with an empty text/html."""
    response = not_found().response(ask(b"application/json", "HEAD"))
    assert (response.body, response.content_type) == (b"", b"text/html; charset=UTF-8")


def test_a_sentence_cannot_bring_markup():
    """What a header said is escaped in HTML and loses its tags in text."""
    refusal = HttpError(400, "provider <b>x</b>")
    assert b"&lt;b&gt;x&lt;/b&gt;" in refusal.response(ask(b"*/*")).body
    assert b"provider x\n" in refusal.response(ask(None)).body
    assert json.loads(refusal.response(ask(b"application/json")).body)["title"] == "Bad Request"


def test_try_later_says_when():
    """A 503 carries Retry-After."""
    assert try_later("later", seconds=3).response(ask(None)).headers == ((b"Retry-After", b"3"),)
