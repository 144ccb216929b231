"""The WSGI adapter under a real uWSGI."""

import http.client
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from support.parts import absent
from support.servers.databases import eventually, free_port


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    uwsgi = Path(sys.executable).with_name("uwsgi")
    if not uwsgi.exists():
        absent("uwsgi is not installed in this environment (pip install uwsgi)")
    port = free_port()
    log = tmp_path_factory.mktemp("uwsgi") / "log"
    command = [uwsgi, "--master", "--need-app", "--die-on-term", "--threads=2"]
    command += [f"--http-socket=127.0.0.1:{port}", f"--home={sys.prefix}", "--http-chunked-input"]
    command += [f"--wsgi-file={Path(__file__).with_name('uwsgi_app.py')}"]
    with log.open("wb") as output:
        server = subprocess.Popen(command, stdout=output, stderr=output)
    address = f"http://127.0.0.1:{port}"

    def answers():
        try:
            return requests.get(address, timeout=10).ok
        except requests.ConnectionError:
            return False

    assert eventually(answers, 30), log.read_text()
    yield address
    server.terminate()
    server.wait(20)


def test_get(url):
    """A request arrives as it was sent, and the answer has a request id."""
    answer = requests.get(f"{url}/a%20b?c=d", timeout=10)
    assert answer.text == "GET /a%20b?c=d 127.0.0.1|"
    assert answer.headers["X-OpenStack-Request-Id"].startswith("req-")


def test_post(url):
    """A body arrives, and one that is too large is refused."""
    assert requests.post(url, data=b"xyz", timeout=10).text.endswith("|xyz")
    assert requests.post(url, data=b"x" * 1_100_000, timeout=10).status_code == 413


def test_head(url):
    """HEAD has the length of GET's answer and no body."""
    client = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    client.request("HEAD", "/")
    answer = client.getresponse()
    assert (answer.getheader("Content-Length"), answer.read()) == ("17", b"")
    client.close()
