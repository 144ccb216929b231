"""The options of oslo.log that units of Nova and Neutron type behind the command."""

import argparse

import pytest

from firstlight import conf
from firstlight.cli import agent, check, metadata


def typed(command, *words):
    """What the command hands to the configuration."""
    parser = argparse.ArgumentParser()
    command.configure(parser)
    return parser.parse_args(words).config


@pytest.fixture
def nova_conf(tmp_path):
    path = tmp_path / "nova.conf"
    path.write_text("[DEFAULT]\nlog_file = from-the-file.log\n[firstlight]\nsource = store\n")
    return f"--config-file={path}"


@pytest.mark.parametrize(
    ("words", "option", "value"),
    [
        (["--log-file=/x/y.log"], "log_file", "/x/y.log"),
        (["--logfile", "/x/y.log"], "log_file", "/x/y.log"),
        (["--log-dir", "/x"], "log_dir", "/x"),
        (["--logdir=/x"], "log_dir", "/x"),
        (["--log-config", "/x/l.conf"], "log_config_append", "/x/l.conf"),
        (["-d"], "debug", True),
        (["--debug", "--nodebug"], "debug", False),
        (["--use-journal"], "use_journal", True),
        (["--nouse-syslog"], "use_syslog", False),
        (["--use-json"], "use_json", True),
        (["--syslog-log-facility=local3"], "syslog_log_facility", "local3"),
        (["--log-date-format=%H"], "log_date_format", "%H"),
    ],
)
@pytest.mark.parametrize("command", [metadata, check])
def test_what_is_typed_wins(command, words, option, value, nova_conf):
    """Behind the files it goes over what they say, as oslo.config has it."""
    assert conf.load_typed("metadata", typed(command, nova_conf, *words))[option] == value


def test_a_bad_value_of_one_in_a_file_is_said_in_a_sentence(tmp_path):
    """oslo.config itself writes to standard error and ends the process."""
    path = tmp_path / "nova.conf"
    path.write_text("[DEFAULT]\ndebug =\n")
    with pytest.raises(conf.ConfigError, match=r"\[DEFAULT\] debug: Invalid Boolean value"):
        conf.load_typed("metadata", [f"--config-file={path}"])


def test_the_files_are_found_and_read_as_without_it(tmp_path):
    """A log's option is not taken for a folder of files, and hides none."""
    folder = tmp_path / "conf.d"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.conf").write_text("[DEFAULT]\nnova_metadata_port = 1\n")
    line = typed(agent, "--log-file", "/x/y.log", "--config-dir", str(folder), "--debug")
    read = conf.load_typed("agent", line).files_read
    assert read[-2:] == [str(folder / "a.conf"), str(folder / "b.conf")]
