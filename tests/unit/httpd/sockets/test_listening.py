"""Opening listening sockets, and taking them over."""

import fcntl
import os
import socket
import stat
from pathlib import Path

import pytest

from firstlight.httpd.process import channel
from firstlight.httpd.sockets import listening
from firstlight.httpd.sockets.listening import AddressTaken, CannotListen, Tcp, Unix

NAME = Path("/proc/self/comm").read_text().strip()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_tcp(host):
    """A TCP address listens."""
    with Tcp(host, 0).open() as opened:
        socket.create_connection((host, opened.getsockname()[1])).close()


def test_all_addresses():
    """:: is IPv4 as well, where the host does not say otherwise: as OpenStack's services listen."""
    if Path("/proc/sys/net/ipv6/bindv6only").read_text().strip() != "0":
        pytest.skip("this host's net.ipv6.bindv6only keeps :: and 0.0.0.0 apart")
    with Tcp("::", 0).open() as opened:
        for host in ("127.0.0.1", "::1"):
            socket.create_connection((host, opened.getsockname()[1])).close()


def test_taken_port():
    """An address in use is an error that names it and what to do."""
    with Tcp("127.0.0.1", 0).open() as opened:
        port = opened.getsockname()[1]
        holder = rf"{NAME} \(process {os.getpid()}\) listens there; stop the other"
        with pytest.raises(AddressTaken, match=rf"tcp:127.0.0.1:{port}: {holder}"):
            Tcp("127.0.0.1", port).open()


def test_foreign_address():
    """An address that is not ours is an error that names it."""
    with pytest.raises(CannotListen, match=r"192\.0\.2\.1"):
        Tcp("192.0.2.1", 1).open()


def test_unix_mode(tmp_path):
    """The socket file has the mode that was asked for, whatever the umask."""
    path = str(tmp_path / "s")
    with Unix(path, mode=0o606, owner=(os.getuid(), os.getgid())).open():
        assert stat.S_IMODE(Path(path).stat().st_mode) == 0o606


def test_dead_unix_socket_is_replaced(tmp_path):
    """What a dead process left behind is not in the way."""
    path = str(tmp_path / "s")
    Unix(path).open().close()
    Unix(path).open().close()


def test_live_unix_socket_is_left_alone(tmp_path):
    """A path where somebody listens is an error, and stays theirs."""
    path = str(tmp_path / "s")
    with Unix(path).open() as first:
        with pytest.raises(AddressTaken, match=rf"{NAME} \(process {os.getpid()}\) listens there"):
            Unix(path).open()
        first.accept()[0].close()  # the question whether anybody listens
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            first.accept()[0].close()


def test_busy_unix_socket_is_left_alone(tmp_path):
    """One whose queue is full is as alive as any, and is not waited for."""
    path = str(tmp_path / "s")
    with (
        socket.socket(socket.AF_UNIX) as listening,
        socket.socket(socket.AF_UNIX) as one,
        socket.socket(socket.AF_UNIX) as two,
    ):
        listening.bind(path)
        listening.listen(0)
        one.connect(path)
        two.setblocking(False)
        with pytest.raises(BlockingIOError):
            two.connect(path)
        with pytest.raises(AddressTaken, match=rf"process {os.getpid()}"):
            Unix(path).open()
        assert Path(path).is_socket()


def test_two_that_start_at_once(tmp_path, monkeypatch):
    """While one replaces a dead socket the other waits, so it does not replace the new one."""
    directory = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        monkeypatch.setattr(
            "firstlight.httpd.sockets.listening.time.sleep",
            lambda _: fcntl.flock(directory, fcntl.LOCK_UN),
        )
        Unix(str(tmp_path / "s")).open().close()
        fcntl.flock(directory, fcntl.LOCK_EX)
        monkeypatch.setattr("firstlight.httpd.sockets.listening.time.sleep", lambda _: None)
        with pytest.raises(CannotListen, match="locked the directory"):
            Unix(str(tmp_path / "s")).open()
    finally:
        os.close(directory)


def test_a_spare_address_that_is_taken(tmp_path, caplog):
    """The service starts without it, and the log names its holder; other faults end the start."""
    taken = str(tmp_path / "s")
    with Unix(taken).open(), Tcp("127.0.0.1", 0).open() as tcp:
        port = tcp.getsockname()[1]
        addresses = {
            "guests": Tcp("127.0.0.1", 0),
            "status": Tcp("127.0.0.1", port, spare=True),
            "agent": Unix(taken, spare=True),
        }
        opened = listening.open_all(addresses, {})
        assert list(opened) == ["guests"]
        opened["guests"].close()
        assert caplog.text.count(f"(process {os.getpid()}) listens there") == 2
        with pytest.raises(CannotListen):
            listening.open_all(addresses | {"status": Tcp("192.0.2.1", 1, spare=True)}, {})


def test_an_optional_socket_that_cannot_be_made(tmp_path, caplog):
    """Guests are served without it, and the log says what kept it from being made."""
    status = Unix(str(tmp_path / "missing" / "status"), optional=True)
    opened = listening.open_all({"guests": Tcp("127.0.0.1", 0), "status": status}, {})
    assert list(opened) == ["guests"]
    opened["guests"].close()
    assert f"cannot listen on {status}" in caplog.text
    assert "starts without its listener status" in caplog.text


def test_file_in_the_way(tmp_path):
    """A file that is no socket is never removed."""
    path = tmp_path / "s"
    path.write_text("mine")
    with pytest.raises(CannotListen, match="not a socket"):
        Unix(str(path)).open()
    assert path.read_text() == "mine"


def test_missing_directory(tmp_path):
    """A missing directory is named, with what to do."""
    with pytest.raises(CannotListen, match="make the directory first"):
        Unix(str(tmp_path / "none" / "s")).open()


def test_taking_over():
    """The same name and address is the same socket; environment and descriptors are cleaned up."""
    addresses = {"a": Tcp("127.0.0.1", 0), "b": Tcp("127.0.0.1", 0)}
    first = listening.open_all(addresses, {})
    numbers = {name: each.getsockname() for name, each in first.items()}
    held = {(name, str(addresses[name])): each.fileno() for name, each in first.items()}
    environ = {channel.INHERIT: channel.describe(held)}
    for each in first.values():
        each.detach()
    second = listening.open_all({"a": Tcp("127.0.0.1", 0), "b": Tcp("::1", 0)}, environ)
    assert second["a"].getsockname() == numbers["a"]
    assert second["b"].family == socket.AF_INET6  # another address now: opened anew
    assert environ == {}
    assert not os.get_inheritable(second["a"].fileno())
    with pytest.raises(ConnectionRefusedError):  # what nobody asks for any more is closed
        socket.create_connection(numbers["b"])
    for each in second.values():
        each.close()


def test_nothing_stays_open_after_an_error(tmp_path):
    """If one address cannot be opened, none is."""
    path = str(tmp_path / "s")
    with pytest.raises(CannotListen):
        listening.open_all({"a": Unix(path), "b": Tcp("192.0.2.1", 1)}, {})
    with pytest.raises(ConnectionRefusedError), socket.socket(socket.AF_UNIX) as probe:
        probe.connect(path)


def test_a_duplicate_blocks_nobody():
    """Who accepts from a socket without waiting goes on so when another process gets a copy."""
    with socket.create_server(("127.0.0.1", 0)) as opened:
        opened.setblocking(False)
        with listening.duplicate(opened) as copy:
            assert copy.getsockname() == opened.getsockname()
            assert not os.get_blocking(opened.fileno())
            assert not os.get_inheritable(copy.fileno())
