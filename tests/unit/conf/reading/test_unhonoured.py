"""What an operator asks for in vain is named; what changes nothing is not."""

import pytest

from firstlight import conf
from firstlight.conf import ConfigError
from firstlight.conf.reading.unhonoured import unhonoured


@pytest.fixture
def written(tmp_path):
    """The configuration of files with these texts."""

    def load(*texts):
        files = []
        for number, text in enumerate(texts):
            files.append(tmp_path / f"{number}.conf")
            files[-1].write_text(text)
        return conf.load("metadata", [str(file) for file in files])

    return load


@pytest.mark.parametrize(
    ("section", "line"),
    [
        ("cors", "allowed_origin = https://horizon.example.org"),
        ("api", "use_forwarded_for = yes"),
        ("DEFAULT", "use_forwarded_for = True"),
        ("DEFAULT", "backdoor_port = 3000"),
        ("DEFAULT", "backdoor-port = 3000"),
        ("oslo_reports", "log_dir = /var/log/reports"),
        ("database", "max_pool_size = 1"),
        ("api_database", "mysql_wsrep_sync_wait = 1"),
        ("wsgi", "client_socket_timeout = 60"),
    ],
)
def test_it_is_named(written, section, line):
    """With its file, its section and what to do instead."""
    [one] = unhonoured(written(f"[{section}]\n{line}\n"))
    assert one.option == f"[{section}] {line.partition(' =')[0].replace('-', '_')}"
    assert one.file.endswith("0.conf")
    assert str(one).startswith(f"{one.option} in {one.file} has no effect: ")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[cors]\nallowed_origin =\n",
        "[api]\nuse_forwarded_for = false\n",
        "[database]\nmax_pool_size = 5\n",
        "[wsgi]\nclient_socket_timeout = 900\n",
        "[libvirt]\nvirt_type = kvm\n[scheduler]\nworkers = 9\n",
        "[api]\nuse_forwarded_for = neither true nor false\n",
    ],
)
def test_what_changes_nothing_is_left(written, text):
    """Nova's own default, and whatever is for other services."""
    assert unhonoured(written(text)) == []


def test_the_last_file_counts(written):
    """What a later file takes back is not asked for."""
    first = "[cors]\nallowed_origin = https://one\n"
    assert unhonoured(written(first, "[cors]\nallowed_origin =\n")) == []


@pytest.mark.parametrize(
    ("pipeline", "number"),
    [("cors http_proxy_to_wsgi metaapp", 0), ("cors audit http_proxy_to_wsgi metaapp", 1)],
)
def test_a_paste_file_with_a_filter_of_ones_own(written, tmp_path, pipeline, number):
    """Nova would run it; the pipeline that Nova ships is no news."""
    paste = tmp_path / "api-paste.ini"
    paste.write_text(f"[composite:metadata]\n/: meta\n[pipeline:meta]\npipeline = {pipeline}\n")
    assert len(unhonoured(written(f"[wsgi]\napi_paste_config = {paste}\n"))) == number


def test_a_line_that_is_none_is_not_shown(tmp_path):
    """It may be a secret; its file and number are enough."""
    file = tmp_path / "broken.conf"
    file.write_text("[neutron]\nhunter2\n")
    with pytest.raises(ConfigError) as raised:
        conf.load("metadata", [str(file)])
    assert f"{file}, line 2" in str(raised.value)
    assert "hunter2" not in str(raised.value)
