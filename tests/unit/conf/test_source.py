"""A file that is Nova's never turns into a store of ours because something is not in it."""

import pytest

from firstlight import conf
from firstlight.cli import main
from firstlight.conf.source import reads_nova
from firstlight.metadata.backend import BackendError, open_backend

URL = "connection = mysql+pymysql://nova@db/nova\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("nova.conf", ""),
        ("nova.conf", "[neutron]\nservice_metadata_proxy = true\n"),
        ("nova.conf", f"[database]\n{URL}"),
        ("metadata.conf", f"[database]\n{URL}"),
        ("nova.conf.d/01-nova.conf", "[DEFAULT]\ndebug = true\n"),
        ("nova.conf", "[api]\nlocal_metadata_per_cell = true\n"),
    ],
)
def test_it_is_refused_in_a_sentence(tmp_path, name: str, text: str) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    with pytest.raises(BackendError) as raised:
        open_backend(conf.load("metadata", [str(file)]))
    assert str(file) in str(raised.value)
    assert "[api_database] connection" in str(raised.value)
    assert "[firstlight] source = store" in str(raised.value)


def test_check_calls_it_broken(tmp_path, capsys) -> None:
    """And a start of every kind ends: `show` is one that opens the store."""
    file = tmp_path / "nova.conf"
    file.write_text(f"[database]\n{URL}")
    assert main(["check", "--before-start", "--config-file", str(file)]) == 1
    assert "without [api_database] connection" in capsys.readouterr().out
    assert main(["show", "web-1", "--config-file", str(file)]) == 1
    assert "without [api_database] connection" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "nova"),
    [
        ("[firstlight]\nsource = store\n", False),
        (f"[firstlight]\nsource = store\n[database]\n{URL}", False),
        (f"[api_database]\n{URL}", True),
        (f"[api]\nlocal_metadata_per_cell = true\n[database]\n{URL}", True),
    ],
)
def test_what_says_where_instances_are(tmp_path, text: str, nova: bool) -> None:
    file = tmp_path / "nova.conf"
    file.write_text(text)
    assert reads_nova(conf.load("metadata", [str(file)])) is nova


def test_another_file_alone_is_the_stores(tmp_path) -> None:
    file = tmp_path / "metadata.conf"
    file.write_text("[DEFAULT]\nmetadata_listen_port = 1\n")
    assert not reads_nova(conf.load("metadata", [str(file)]))
