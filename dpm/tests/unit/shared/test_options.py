"""[dpm] means what it meant in nova_dpm.conf and networking-dpm's files."""

from pathlib import Path
from typing import Any

import pytest
from oslo_config import cfg

from firstlight_dpm import options
from firstlight_dpm.options import NetworkPort, StoragePort

ID = "3f1c4a0e-7c2d-11e6-8b77-0242ac130004"


@pytest.fixture
def read(tmp_path: Path):
    """Reads lines of [dpm], as both services together would."""

    def read(*lines: str) -> Any:
        conf = cfg.ConfigOpts()
        options.register_compute(conf)
        options.register_network(conf)
        file = tmp_path / "dpm.conf"
        file.write_text("\n".join(["[dpm]", *lines]))
        conf(["--config-file", str(file)])
        return conf.dpm

    return read


def test_importing_registers_nothing():
    """A process that imports the options has not got them until it registers them."""
    assert "dpm" not in cfg.CONF


def test_defaults(read):
    """What is not set is not set, and certificates are verified."""
    dpm = read()
    assert (dpm.hmc, dpm.hmc_username, dpm.hmc_password, dpm.cpc_object_id) == (
        [],
        None,
        None,
        None,
    )
    assert (dpm.max_processors, dpm.max_memory) == (None, None)
    assert (dpm.hmc_port, dpm.hmc_verify, dpm.hmc_ca_file) == (6794, True, None)
    assert dpm.physical_storage_adapter_mappings is None
    assert dpm.target_wwpn_ignore_list == []


def test_hmc_may_be_one_or_several(read):
    """One name, as in files there are, or several with commas."""
    assert read("hmc = 10.1.2.3").hmc == ["10.1.2.3"]
    assert read("hmc = hmc1, hmc2").hmc == ["hmc1", "hmc2"]


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("2001:db8::1", "[2001:db8::1]"),
        ("[2001:db8::1]", "[2001:db8::1]"),
        ("hmc-1.example.com", "hmc-1.example.com"),
        ("hmc_1", "hmc_1"),
    ],
)
def test_what_an_hmc_may_be_called(read, text, host):
    """By a name or an address of either kind, as it is written in a URL."""
    assert read(f"hmc = {text}").hmc == [host]


@pytest.mark.parametrize("text", ["https://hmc", "hmc:6794", "10.1.2.3:6794", "hmc/", "a b"])
def test_what_is_no_hmc_is_refused(read, text):
    """Before anybody tries to reach it."""
    with pytest.raises(ValueError, match=r"neither https:// nor a port.* hmc_port"):
        _ = read(f"hmc = {text}").hmc


def test_the_password_is_a_secret(read, caplog):
    """oslo.config masks it when it logs all values."""
    assert all(one.secret for one in options.COMMON if one.name == "hmc_password")


def test_cpc_object_id_is_folded(read):
    """In lower case, whatever the case it was written in."""
    assert read(f"cpc_object_id = {ID.upper()}").cpc_object_id == ID


@pytest.mark.parametrize("text", ["", "garbage", ID[:-1], ID + "0", "g" + ID[1:], ID + "\\n"])
def test_what_is_no_object_id_is_refused(read, text):
    """The value's name is in the error."""
    with pytest.raises(ValueError, match=r"cpc_object_id|not a DPM object id"):
        _ = read(f"cpc_object_id = {text}").cpc_object_id


@pytest.mark.parametrize("text", ["511", "0", "-1", "much"])
def test_less_memory_than_512_mib_is_refused(read, text):
    """max_memory has the least that it always had."""
    with pytest.raises(ValueError, match="max_memory"):
        _ = read(f"max_memory = {text}").max_memory


def test_max_processors_of_none_is_refused(read):
    """A subset without processors can start nothing."""
    with pytest.raises(ValueError, match="max_processors"):
        _ = read("max_processors = 0").max_processors


@pytest.mark.parametrize("port", ["0", "1", "2", "3"])
def test_storage_mapping(read, port):
    """Adapter and port, the id in lower case, both text."""
    (mapping,) = read(
        f"physical_storage_adapter_mappings = {ID.upper()}:{port}"
    ).physical_storage_adapter_mappings
    assert mapping == StoragePort(ID, port) == (ID, port)
    assert str(mapping) == f"{ID}:{port}"


def test_storage_mappings_keep_their_order(read):
    """The first line is the boot adapter."""
    other = "0" + ID[1:]
    mappings = read(
        f"physical_storage_adapter_mappings = {ID}:1",
        f"physical_storage_adapter_mappings = {other}:0",
    ).physical_storage_adapter_mappings
    assert mappings == [(ID, "1"), (other, "0")]


@pytest.mark.parametrize(
    "text",
    ["", "garbage", ID, f"{ID}:", f"{ID}:4", f"{ID}:a", f"{ID}:11", f"{ID[:-1]}:0", f":{ID}"],
)
def test_what_is_no_storage_mapping_is_refused(read, text):
    """The form that was expected is in the error."""
    with pytest.raises(ValueError, match="storage adapter object id"):
        _ = read(f"physical_storage_adapter_mappings = {text}").physical_storage_adapter_mappings


@pytest.mark.parametrize(
    ("text", "port"),
    [(f"Net-1:{ID}", "0"), (f"Net-1:{ID}:", "0"), (f"Net-1:{ID}:0", "0"), (f"Net-1:{ID}:1", "1")],
)
def test_network_mapping(read, text, port):
    """The network as it was written, the adapter, and the port, 0 unless given."""
    (mapping,) = read(
        f"physical_network_adapter_mappings = {text}"
    ).physical_network_adapter_mappings
    assert mapping == NetworkPort("Net-1", ID, port)
    assert str(mapping) == f"Net-1:{ID}:{port}"


@pytest.mark.parametrize(
    "text", ["", ID, f":{ID}", f"net:{ID}:2", f"net:{ID}:,", f"net:{ID}:01", f"a:b:{ID}", "net:x:0"]
)
def test_what_is_no_network_mapping_is_refused(read, text):
    """A comma among them, which once passed and broke something later."""
    with pytest.raises(ValueError, match="network adapter object id"):
        _ = read(f"physical_network_adapter_mappings = {text}").physical_network_adapter_mappings


@pytest.mark.parametrize(
    "text",
    ["500507680b214ac1", "500507680B214AC1", "0x500507680b214ac1", "50:05:07:68:0b:21:4a:c1"],
)
def test_targets_to_ignore_are_written_in_several_ways(read, text):
    """All mean the same port; once only one of them did."""
    read_back = read(f"target_wwpn_ignore_list = {text}, 5005076300c213e9").target_wwpn_ignore_list
    assert read_back == ["500507680b214ac1", "5005076300c213e9"]


@pytest.mark.parametrize("text", ["5005", "500507680b214acx", "500507680b214ac1 5005076300c213e9"])
def test_what_is_no_wwpn_is_refused(read, text):
    """It would ignore nothing, silently."""
    with pytest.raises(ValueError, match="not a WWPN"):
        _ = read(f"target_wwpn_ignore_list = {text}").target_wwpn_ignore_list


def test_types_say_what_they_are_and_are_equal_to_their_like():
    """oslo.config compares types when an option is registered twice."""
    assert options.StorageAdapterMapping() == options.StorageAdapterMapping()
    assert options.StorageAdapterMapping() != options.NetworkAdapterMapping()
    assert "port, 0 to 3" in repr(options.StorageAdapterMapping())


def test_a_mapping_can_be_overridden():
    """Tests and Nova's own fixtures set values without a file."""
    conf = cfg.ConfigOpts()
    options.register_compute(conf)
    conf.set_override("physical_storage_adapter_mappings", [f"{ID.upper()}:2"], "dpm")
    assert conf.dpm.physical_storage_adapter_mappings == [StoragePort(ID, "2")]


def test_registering_twice_is_no_error():
    """Nova's driver is made anew in one process."""
    conf = cfg.ConfigOpts()
    options.register_compute(conf)
    options.register_compute(conf)


def test_each_namespace_has_its_service_s_options():
    """oslo-config-generator's nova_dpm and networking_dpm."""
    listed = [
        {option.name for _, group in listing() for option in group}
        for listing in (options.list_compute_options, options.list_network_options)
    ]
    assert "max_memory" in listed[0] - listed[1]
    assert "physical_network_adapter_mappings" in listed[1] - listed[0]
    assert {"hmc", "cpc_object_id"} <= listed[0] & listed[1]
