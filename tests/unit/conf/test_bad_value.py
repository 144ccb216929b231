"""A value that an option cannot have stops the start in words."""

from pathlib import Path

import pytest

from firstlight.conf import ConfigError, load


@pytest.mark.parametrize("service", ["metadata", "vendordata"])
@pytest.mark.parametrize(
    ("group", "option", "value"),
    [
        ("firstlight", "status_port", "eighty"),
        # oslo.log's, that its start reads.
        ("DEFAULT", "use_stderr", ""),
        ("DEFAULT", "log_color", "perhaps"),
        ("DEFAULT", "publish_errors", "sometimes"),
    ],
)
def test_the_file_is_named_and_nothing_of_oslos(
    service: str, group: str, option: str, value: str, tmp_path: Path
) -> None:
    """Option, file and reason; not how oslo.config calls places within itself."""
    conf = tmp_path / "a.conf"
    conf.write_text(f"[{group}]\n{option} = {value}\n")
    with pytest.raises(ConfigError) as caught:
        load(service, [str(conf)], environ={})
    said = str(caught.value)
    assert said.startswith(f"configuration of firstlight {service}: Value for option {option} ")
    assert f"from {conf} is not valid: " in said
    assert "Location" not in said


@pytest.mark.parametrize(
    "text",
    [
        "max_logfile_count = many\n",  # read only where files are rotated by size
        "use_stderr = perhaps\nlog_config_append = /etc/firstlight/logging.conf\n",
    ],
)
def test_what_oslo_log_does_not_look_at_stops_nothing(text: str, tmp_path: Path) -> None:
    """As Nova serves with it."""
    conf = tmp_path / "a.conf"
    conf.write_text(f"[DEFAULT]\n{text}[firstlight]\nsource = store\n")
    assert load("metadata", [str(conf)], environ={}).firstlight.source == "store"
