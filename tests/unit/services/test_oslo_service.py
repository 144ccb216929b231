"""oslo.service's options, as a pcss-vendor-metadata.ini has them."""

import socket

import pytest

from firstlight import conf as configuration
from firstlight.conf import ConfigError
from firstlight.httpd.limits import Limits
from firstlight.services import oslo_service


@pytest.fixture
def read(tmp_path):
    """The configuration with these lines."""

    def load(text):
        path = tmp_path / "pcss.ini"
        path.write_text(text)
        return configuration.load("vendordata", [str(path)])

    return load


def limits(conf):
    return oslo_service.limits(conf, answer_time=5, body=1000)


def test_what_is_given(read):
    """Nought is for ever with oslo.service; longer headers than ours have room."""
    conf = read(
        "[DEFAULT]\nclient_socket_timeout = 0\ngraceful_shutdown_timeout = 7\n"
        "max_header_line = 100000\nwsgi_default_pool_size = 3\n"
    )
    made = limits(conf)
    assert made.idle_time > 24 * 3600
    assert made.drain_time == 7
    assert made.head > 100_000
    assert oslo_service.request_threads(conf) == 3


def test_headers_are_never_fewer_than_usual(read):
    """A small max_header_line takes nothing away."""
    assert limits(read("[DEFAULT]\nmax_header_line = 1\n")).head >= Limits().head


def test_keep_alive(read):
    """The kernel asks silent callers after so many seconds; a Unix socket has no such thing."""
    conf = read("[DEFAULT]\ntcp_keepidle = 77\n")
    with socket.socket() as listening, socket.socket(socket.AF_UNIX) as local:
        oslo_service.keep_alive(local, conf)
        oslo_service.keep_alive(listening, conf)
        assert listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 77
        assert listening.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1


@pytest.mark.parametrize("option", ["cert_file", "key_file"])
def test_half_of_tls(read, option):
    """Never plain HTTP in silence."""
    with pytest.raises(ConfigError, match="go together"):
        oslo_service.tls(read(f"[ssl]\n{option} = /x.pem\n"))


def test_files_that_are_not_there(read):
    """The section and its options are named."""
    with pytest.raises(ConfigError, match=r"\[ssl\] cert_file, key_file"):
        oslo_service.tls(read("[ssl]\ncert_file = /x.pem\nkey_file = /x.key\n"))


def test_no_tls(read):
    """Without a certificate it is plain HTTP."""
    assert oslo_service.tls(read("")) is None
