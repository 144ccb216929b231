"""A value that an option cannot have stops the start in words."""

from pathlib import Path

import pytest

from firstlight.conf import ConfigError, load


@pytest.mark.parametrize("service", ["metadata", "vendordata"])
def test_the_file_is_named_and_nothing_of_oslos(service: str, tmp_path: Path) -> None:
    """Option, file and reason; not how oslo.config calls places within itself."""
    conf = tmp_path / "a.conf"
    conf.write_text("[firstlight]\nstatus_port = eighty\n")
    with pytest.raises(ConfigError) as caught:
        load(service, [str(conf)], environ={})
    said = str(caught.value)
    assert said.startswith(f"configuration of firstlight {service}: Value for option status_port ")
    assert f"from {conf} is not valid: " in said
    assert "Location" not in said
