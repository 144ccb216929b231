"""Instance documents: what is read from files, and what is said of wrong ones."""

import base64
import io
import json
from importlib.resources import files as resources
from pathlib import Path

import jsonschema
import pytest
import yaml

from firstlight import yaml_lines
from firstlight.sources.store import BadDocument
from firstlight.sources.store.documents import files
from firstlight.sources.store.documents.document import json_schema
from support.cloud.store_samples import server, uuid

BASICS = f"""\
uuid: {uuid(1)}
project_id: p1
name: web
hostname: web
"""  # four lines
SAMPLE = resources("firstlight.sources.store").joinpath("sample.yaml")


def refusal(text: str | bytes, name: str = "web.yaml") -> str:
    """What is said of a wrong file."""
    content = text.encode() if isinstance(text, str) else text
    with pytest.raises(BadDocument) as caught:
        files.read(content, name)
    return str(caught.value)


def only(text: str, name: str = "web.yaml") -> files.Loaded:
    """The only instance of a file."""
    [one] = files.read(text.encode(), name)
    return one


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("foo: 1", "5: foo: there is no such field"),
        ("metdata: {}", "5: metdata: there is no such field; did you mean metadata?"),
        (
            "metadata:\n  a: b\n  x: 5",
            "7: metadata.x: should be text, but is a whole number: put it in quotes",
        ),
        ("metadata: {a: 1.5}", "5: metadata.a: should be text, but is a number: put it in quotes"),
        (
            "metadata: {a: true}",
            "5: metadata.a: should be text, but is true or false: put it in quotes",
        ),
        (f"metadata:\n  k: {'v' * 256}", "6: metadata.k: 256 characters; a value has 255 at most"),
        ("interfaces: {}", "5: interfaces: should be a list, but is a mapping"),
        ("interfaces:\n- port_id: x", "6: interfaces[0]: mac is missing"),
        (
            "interfaces:\n- port_id: x\n\n  mac: zz",
            "8: interfaces[0].mac: not a MAC address: six octets such as fa:16:3e:9c:bf:3d",
        ),
        ("user_data: '***'", "5: user_data: not base64; user_data_text takes plain text"),
        (
            "user_data: YQ==\nuser_data_text: a",
            "6: user_data_text: give either user_data or user_data_text",
        ),
        (
            f"user_data_text: {'x' * 49150}",
            "5: user_data_text: 49150 bytes; user data has 49149 at most",
        ),
        ("password: x", "5: password: the guest posts it; leave it out"),
        ("image_id: cirros", "5: image_id: not a lower-case UUID"),
        (
            "ec2_ids:\n  instance: 1\n  image: 2",
            "7: ec2_ids.image: there is no image_id it could be the number of",
        ),
        ("ec2_ids: {instance: 0}", "5: ec2_ids.instance: not between 1 and 2147483647"),
        ("launch_index: -1", "5: launch_index: Expected int >= 0"),
        (
            "devices:\n- {type: gpu}",
            "6: devices[0].type: 'gpu' is none of its values; see `firstlight instance schema`",
        ),
        (
            "devices:\n- type: nic\n  mac: zz",
            "7: devices[0].mac: not a MAC address such as fa:16:3e:9c:bf:3d",
        ),
        ("name: again", "5: name is given twice, first in line 3"),
        ("keypair: *nobody", "5: *nobody stands for nothing that came before it"),
        ("keypair: !secret x", "5: the tag !secret is not taken; leave it out"),
        ("a: b: c", "5: mapping values are not allowed in this context"),
    ],
)
def test_a_wrong_document_is_refused_with_line_and_path(more: str, said: str) -> None:
    """Each reason stands behind its file and line, and says what to write instead."""
    assert refusal(BASICS + more) == f"web.yaml:{said}"


SUBNET = """\
interfaces:
- port_id: x
  mac: fa:16:3e:00:00:01
  network:
    id: n
    subnets:
    - cidr: 192.0.2.0/24
"""  # its last line is 11


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("gateway: fe80::1", "12: SUBNET.gateway: not IPv4 as its subnet is"),
        ("dns: [192.0.2.2, x]", "12: SUBNET.dns[1]: 'x' is not an IP address"),
        (
            "addresses: [{address: 192.0.3.1}]",
            "12: SUBNET.addresses[0].address: 192.0.3.1 is not in the subnet 192.0.2.0/24",
        ),
        (
            "addresses:\n      - address: 192.0.2.1\n      - address: 192.0.2.1",
            "14: SUBNET.addresses[1].address: this instance has it on this network already",
        ),
        (
            "addresses: [{address: 'fe80::1%eth0'}]",
            "12: SUBNET.addresses[0].address: a zone (%) means nothing outside one host",
        ),
        (
            "routes: [{cidr: '2001:db8::/32', gateway: 192.0.2.1}]",
            "12: SUBNET.routes[0].cidr: not IPv4 as its subnet is",
        ),
        (
            "service_providers: ['']",
            "12: SUBNET.service_providers[0]: empty",
        ),
    ],
)
def test_a_wrong_network_is_refused_with_line_and_path(more: str, said: str) -> None:
    """Addresses must be addresses, of their subnet's family, in it, and once."""
    expected = said.replace("SUBNET", "interfaces[0].network.subnets[0]")
    assert refusal(f"{BASICS}{SUBNET}      {more}") == f"web.yaml:{expected}"


def test_a_wrong_cidr_is_refused() -> None:
    """Host bits in a CIDR are a mistake."""
    text = BASICS + SUBNET.replace("192.0.2.0/24", "192.0.2.5/24")
    assert refusal(text).startswith(
        "web.yaml:11: interfaces[0].network.subnets[0].cidr: not a network such as 192.0.2.0/24"
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "1: there is no instance in it"),
        ("---\n---\n", "1: there is no instance in it"),
        ("[]", "1: there is no instance in it"),
        ("just text", "1: should be a mapping, but is text"),
        (b"a: b\n\xff\n", "2: not UTF-8"),
        ("a: b\nc: \x01", "2: a character YAML does not take: control characters are not allowed"),
        ("[" * 100_000, "1: nested more than 32 levels deep"),
        ("a: &a [*a]", "1: *a stands for nothing that came before it"),
        ("? [a]\n: b", "1: a key must be text"),
    ],
)
def test_what_is_no_document_is_refused(content: str | bytes, said: str) -> None:
    """Empty, binary and hostile files have their own sentences."""
    assert refusal(content) == f"web.yaml:{said}"


def test_a_bomb_of_aliases_is_refused() -> None:
    """Nine levels of tenfold aliases stand for a billion values and are not built."""
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 10)]
    assert "stand for more than 100000 values" in refusal("\n".join(["l0: &l0 [x]", *levels]))


def test_every_problem_of_every_file_is_told(tmp_path: Path) -> None:
    """Several wrong documents in several files are all named, in order."""
    one, two = tmp_path / "one.yaml", tmp_path / "two.json"
    one.write_text(f"{BASICS}---\n{BASICS}image_id: x\nkernel_id: y\n")
    two.write_text('[\n{"uuid": 5}\n]')
    with pytest.raises(BadDocument) as caught:
        files.load([str(one), str(two)])
    assert [str(problem).removeprefix(f"{tmp_path}/") for problem in caught.value.problems] == [
        "one.yaml:10: image_id: not a lower-case UUID",
        "one.yaml:11: kernel_id: not a lower-case UUID",
        "two.json:2: uuid: should be text, but is a whole number: put it in quotes",
    ]


def test_one_id_in_two_documents_is_refused() -> None:
    """The second names the first's place."""
    content = io.BytesIO(f"{BASICS}---\n{BASICS}".encode())
    with pytest.raises(BadDocument, match=rf"stdin:6: uuid: {uuid(1)} is in stdin:1 too"):
        files.load(["-"], content)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{\n"uuid": x}', "2: not JSON: Expecting value"),
        ('{"uuid": "a",\n\t"uuid": "b"}', "2: uuid is given twice, first in line 1"),
        ("[" * 100_000, "1: nested more than 32 levels deep"),
        ('{\n\t"uuid":\t"x"}', "2: uuid: not a lower-case UUID"),
        (
            '{\n"launch_index": ' + "1" * 5000 + "}",
            "2: launch_index: should be a whole number, but is text",
        ),
        ('{"' + "k" * 2000 + '": 1}', f"1: {'k' * 2000}: there is no such field"),
    ],
)
def test_json_has_lines_too(content: str, said: str) -> None:
    """Tabs, long keys, long numbers and deep nesting do not hide the line."""
    assert refusal(content, "web.json") == f"web.json:{said}"


@pytest.mark.parametrize("text", ["no", "on", "12:30:45", "0x1f", "010", "2026-01-01", "1e5", "="])
def test_plain_text_stays_text(text: str) -> None:
    """What YAML 1.1 takes for booleans, dates and base-60 numbers is text."""
    assert only(f"{BASICS}metadata: {{a: {text}}}").instance.metadata == {"a": text}


def test_a_mac_of_digits_is_a_mac() -> None:
    """YAML 1.1 reads 52:54:00:12:34:56 as a number of seconds."""
    loaded = only(BASICS + SUBNET.replace("fa:16:3e:00:00:01", "52:54:00:12:34:56"))
    assert loaded.instance.interfaces[0].mac == "52:54:00:12:34:56"


def test_aliases_within_bounds_are_taken() -> None:
    """An anchor saves writing something twice."""
    text = f"- &a {{{', '.join(BASICS.splitlines())}, metadata: &m {{a: b}}}}\n"
    text += f"- {{{', '.join(BASICS.replace(uuid(1), uuid(2)).splitlines())}, metadata: *m}}\n"
    one, two = files.read(text.encode(), "web.yaml")
    assert one.instance.metadata == two.instance.metadata == {"a": "b"}


def test_user_data_text_becomes_base64() -> None:
    """The text's UTF-8, as the compute API takes it."""
    loaded = only(f"{BASICS}user_data_text: |\n  #cloud-config\n  é: 1\n")
    assert loaded.instance.user_data is not None
    assert base64.b64decode(loaded.instance.user_data).decode() == "#cloud-config\né: 1\n"


def test_base64_may_have_line_ends() -> None:
    """As base64(1) prints it."""
    assert only(f"{BASICS}user_data: |\n  YWJj\n  ZGVm\n").instance.user_data == "YWJjZGVm"


def test_json_and_yaml_say_the_same() -> None:
    """One document in both forms is one instance; a file of JSON need not be named so."""
    value = {"uuid": uuid(1), "project_id": "p1", "name": "web", "hostname": "web"}
    text = json.dumps([value])
    assert only(text, "a.json").instance == only(text, "-").instance == server()
    assert only(BASICS).instance == server()
    assert only("{" + ", ".join(BASICS.splitlines()) + "}").instance == server()


def test_the_sample_is_right() -> None:
    """It loads, and shows two interfaces, tagged devices, and user data."""
    [loaded] = files.read(SAMPLE.read_bytes(), "sample.yaml")
    assert loaded.instance.boot_roles == "member,reader"
    assert len(loaded.instance.interfaces) == 2
    assert loaded.instance.user_data is not None
    assert {tag for device in loaded.instance.devices for tag in device.tags or ()} == {
        "backend",
        "database",
    }


def test_the_schema_takes_the_sample_and_refuses_what_we_refuse() -> None:
    """Draft 2020-12, valid itself; no password; one document or several."""
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    check = jsonschema.Draft202012Validator(schema)
    sample = yaml.safe_load(SAMPLE.read_bytes())
    assert check.is_valid(sample)
    assert check.is_valid([sample])
    assert not check.is_valid([])
    assert not check.is_valid(sample | {"password": "x"})
    assert not check.is_valid(sample | {"uuid": "X"})
    assert not check.is_valid(sample | {"foo": 1})
    assert not check.is_valid({key: value for key, value in sample.items() if key != "name"})


def test_the_shipped_schema_is_current() -> None:
    """`firstlight instance schema` prints what instance.schema.json beside the sample holds."""
    shipped = resources("firstlight.sources.store").joinpath("instance.schema.json")
    assert shipped.read_text() == json.dumps(json_schema(), indent=2) + "\n"


def test_a_large_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not read to its end."""
    monkeypatch.setattr(files, "LARGEST", 100)
    with pytest.raises(BadDocument, match="stdin:1: larger than 100 bytes: split it"):
        files.load(["-"], io.BytesIO(b"x" * 1000))


def test_the_pure_python_parser_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML without libyaml reads the same and refuses with the same lines."""
    monkeypatch.setattr(yaml_lines, "_Loader", yaml.SafeLoader)
    assert only(BASICS).instance == server()
    assert refusal(BASICS + "foo: 1") == "web.yaml:5: foo: there is no such field"
    assert refusal("a: b\nc: \x01").startswith("web.yaml:2: a character YAML does not take")
