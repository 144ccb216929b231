"""The files of the demo: real ones, to be read, changed and copied."""

from importlib.resources import files
from pathlib import Path

from msgspec import Struct


class DemoPorts(Struct, frozen=True):
    """Where each part listens on 127.0.0.1."""

    front: int
    metadata: int
    vendordata: int
    status: int


SECRET = "demo"  # noqa: S105  (it guards nothing but this demo)

_METADATA = """\
# The demo's metadata service. The names are those of a nova.conf.
[DEFAULT]
metadata_listen = 127.0.0.1
metadata_listen_port = {ports.metadata}
log_file = {directory}/metadata.log

[neutron]
service_metadata_proxy = true
metadata_proxy_shared_secret = {secret}

[api]
vendordata_providers = StaticJSON,DynamicJSON
vendordata_jsonfile_path = {directory}/vendor_data.json
# name@url: the name is the key in vendor_data2.json. What arrives as `cloud-init`, cloud-init uses.
vendordata_dynamic_targets =
    cloud-init@http://127.0.0.1:{ports.vendordata}/cloud-init,
    site@http://127.0.0.1:{ports.vendordata}/providers/static_map

# Asked each time, whatever they allow, so that a change of static_map.yaml shows at once. Usually
# answers are kept for as long as the target says.
[vendordata_target:cloud-init]
max_ttl = 0

[vendordata_target:site]
max_ttl = 0

[firstlight]
status_port = {ports.status}
access_log = {directory}/access.log

[store]
connection = sqlite:///{directory}/store.sqlite
"""

_VENDORDATA = """\
# The demo's vendordata service: no Keystone, so nobody is asked who he is.
[DEFAULT]
listen = 127.0.0.1
port = {ports.vendordata}
auth_strategy = noauth
providers = static_map

[provider:static_map]
file = {directory}/static_map.yaml
"""

_STATIC_MAP = """\
# What servers are given: the data of every rule that matches, merged in order.
# Edit and ask again: the file is read anew when it changes.
- data:
    site: demo
    time-servers: [ntp1.example.org, ntp2.example.org]
- match:
    metadata: {role: web}
  data:
    load-balancer: lb-1.example.org
    cloud-config:
      write_files:
        - path: /etc/motd
          content: "Welcome to a web server of this cloud.\\n"
"""

_VENDOR_DATA = '{"support": "help@cloud.example.org"}\n'


def write(directory: Path, ports: DemoPorts) -> None:
    """Write configuration, rules and the sample instance into `directory`."""
    values = {"directory": directory, "ports": ports, "secret": SECRET}
    sample = files("firstlight.sources.store").joinpath("sample.yaml").read_text()
    for name, text in {
        "metadata.conf": _METADATA.format(**values),
        "vendordata.conf": _VENDORDATA.format(**values),
        "static_map.yaml": _STATIC_MAP,
        "vendor_data.json": _VENDOR_DATA,
        "web-1.yaml": sample,
    }.items():
        (directory / name).write_text(text)
