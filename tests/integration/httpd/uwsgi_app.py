"""The wire's WSGI application as uWSGI loads it."""

from wsgiref.validate import validator

from firstlight.httpd.protocol.messages import Response
from firstlight.httpd.wsgi import application as make


def echo(request):
    """Says what was asked."""
    return Response(
        200, f"{request.method} {request.target} {request.peer}|".encode() + request.body
    )


application = validator(make(echo))
