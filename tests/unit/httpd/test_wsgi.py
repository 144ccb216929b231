"""WSGI both ways: what an application is told, and what becomes of its answer."""

import io
import threading
from concurrent.futures import Future
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from firstlight.concurrency.workers import Workers
from firstlight.httpd.limits import Limits
from firstlight.httpd.protocol.messages import Request, Response
from firstlight.httpd.wsgi import WsgiHandler, application, environ_of


@pytest.fixture
def pool():
    made = Workers("test", threads=1, waiting=0)
    yield made
    made.close()


def call(app, method="GET", path="/", body=b"", **environ):
    """Ask a WSGI application; returns status, headers, body."""
    answer = []
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        **environ,
    }
    setup_testing_defaults(environ)
    chunks = validator(app)(environ, lambda *words: answer.extend(words))
    try:
        return answer[0], dict(answer[1]), b"".join(chunks)
    finally:
        chunks.close()  # type: ignore[attr-defined]  # the validator's always has one


def echo(request):
    """A handler that says what it was asked."""
    said = [request.method, request.target, request.peer, request.header(b"x-one") or "-"]
    return Response(200, " ".join(said).encode() + b"|" + request.body)


def test_request_reaches_the_handler():
    """Method, target, headers, peer and body arrive."""
    status, headers, body = call(
        application(echo),
        "POST",
        "/a b/ä".encode().decode("latin-1"),
        b"xyz",
        QUERY_STRING="q=%20",
        REMOTE_ADDR="192.0.2.1",
        HTTP_X_ONE="1",
    )
    assert (status, body) == ("200 OK", b"POST /a%20b/%C3%A4?q=%20 192.0.2.1 1|xyz")
    assert headers["Content-Length"] == str(len(body))
    assert headers["X-OpenStack-Request-Id"].startswith("req-")


def test_mounted_below_a_path():
    """A handler sees the path below the place it is mounted on."""
    app = application(echo)
    assert call(app, path="/x", SCRIPT_NAME="/meta")[2].startswith(b"GET /x ")
    assert call(app, path="", SCRIPT_NAME="/meta")[2].startswith(b"GET / ")


def test_head_has_the_length_and_no_body():
    """HEAD is answered with the length of what GET would get."""
    _, headers, body = call(application(lambda _: Response(200, b"four")), "HEAD")
    assert (headers["Content-Length"], body) == ("4", b"")


def test_no_content_has_no_length():
    """204 has neither type nor length."""
    status, headers, _ = call(application(lambda _: Response(204)))
    assert status == "204 No Content"
    assert list(headers) == ["X-OpenStack-Request-Id"]


def test_cold_answers_are_awaited():
    """A future is waited for."""

    def cold(_):
        future = Future()
        threading.Timer(0.02, future.set_result, [Response(200, b"late")]).start()
        return future

    assert call(application(cold))[2] == b"late"


def test_late_answers_are_503():
    """A future that is not fulfilled in time is a 503, made by the service's own words."""
    app = application(
        lambda _: Future(),
        limits=Limits(answer_time=0.01),
        refusal=lambda status, reason, request: Response(status, b"mine"),
    )
    assert call(app)[::2] == ("503 Service Unavailable", b"mine")


def test_crash_is_one_logged_500(caplog):
    """A handler that raises is a 500 without its details, which are in the log."""

    def broken(_request):
        raise ZeroDivisionError("hidden")

    status, _, body = call(application(broken))
    assert status.startswith("500 ")
    assert b"ZeroDivision" not in body
    assert caplog.text.count("ZeroDivisionError: ") == 1


def test_failing_future_is_a_500(caplog):
    """A future that fails is a 500, a TimeoutError of its own included."""
    future = Future()
    future.set_exception(TimeoutError("a database"))
    assert call(application(lambda _: future))[0].startswith("500 ")


@pytest.mark.parametrize(
    ("environ", "status"),
    [({"CONTENT_LENGTH": "33"}, "413"), ({"CONTENT_LENGTH": "9"}, "400")],
)
def test_bodies_are_bounded(environ, status):
    """A body over the limit, or shorter than it was said to be, is refused."""
    app = application(echo, limits=Limits(body=32))
    assert call(app, "POST", body=b"abc", **environ)[0].startswith(status)


def test_body_without_a_length():
    """A chunked body that the server has unwrapped is read to its end, within the limit."""
    app = application(echo, limits=Limits(body=32))
    environ = {"CONTENT_LENGTH": "", "wsgi.input_terminated": True}
    assert call(app, "POST", body=b"abc", **environ)[2].endswith(b"|abc")
    assert call(app, "POST", body=b"a" * 33, **environ)[0].startswith("413")


def test_environ():
    """What PEP 3333 asks for, from the request as it was sent."""
    headers = {b"host": b"h:81", b"x-one": b"1", b"content-type": b"t", b"content-length": b"1"}
    environ = environ_of(Request("POST", "/a%20b%C3%A4?q=1", headers, b"x", peer="p", id="req-1"))
    assert environ["PATH_INFO"] == "/a b\xc3\xa4"
    assert environ["QUERY_STRING"] == "q=1"
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("h", "81")
    assert environ["HTTP_X_ONE"] == "1"
    assert (environ["CONTENT_TYPE"], environ["CONTENT_LENGTH"]) == ("t", "1")
    assert environ["wsgi.input"].read() == b"x"


def test_names_that_could_pass_for_others_are_dropped():
    """X_Instance_Id is not X-Instance-Id, and Proxy is not HTTP_PROXY."""
    environ = environ_of(Request("GET", "/", {b"x_instance_id": b"evil", b"proxy": b"evil"}))
    assert "evil" not in environ.values()


def test_application_answers_on_the_pool(pool):
    """Status, type, other headers and body of the application's answer; its length is ours."""

    def app(environ, start_response):
        headers = [("Content-Type", "text/x"), ("X-A", "b"), ("Content-Length", "2")]
        start_response("201 Created", [*headers, ("Server", "x")])
        return [b"a", b"b"]

    response = WsgiHandler(app, pool)(Request("GET", "/", {})).result(5)
    assert (response.status, response.content_type, response.headers, response.body) == (
        201,
        b"text/x",
        ((b"X-A", b"b"),),
        b"ab",
    )


def test_full_pool_is_503(pool):
    """When no thread and no place is free, the answer is at once, and says when to come again."""
    go = threading.Event()

    def slow(environ, start_response):
        go.wait()
        start_response("200 OK", [])
        return []

    handler = WsgiHandler(slow, pool, retry_after=3)
    first = handler(Request("GET", "/", {}))
    second = handler(Request("GET", "/", {}))
    go.set()
    assert first.result(5).status == 200
    assert (second.status, second.headers) == (503, ((b"Retry-After", b"3"),))


def test_both_adapters_back_to_back(pool):
    """A handler as an application as a handler answers what the handler answers."""
    handler = WsgiHandler(validator(application(echo)), pool)
    response = handler(Request("POST", "/a?b", {b"x-one": b"1"}, b"z", peer="p")).result(5)
    assert response.body == b"POST /a?b p 1|z"
