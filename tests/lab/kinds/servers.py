"""Kinds that differ in what the server itself is."""

import base64
import gzip

from lab.kinds.kind import Kind, address, identifier, interface, server

RSA = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7firstlight someone@example"
ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOlderKey someone@example"
CERTIFICATE = (
    "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUfirstlight\n-----END CERTIFICATE-----\n"
)


def encoded(data: bytes) -> str:
    """User data as the compute API takes it."""
    return base64.b64encode(data).decode()


MINIMAL = Kind("minimal", server(1))

FULL = Kind(
    "full",
    server(
        2,
        name="Web server, first of two",
        hostname="web-1",
        launch_index=1,
        availability_zone="nova",
        metadata={"role": "web", "dsmode": "net", "a": "", "colour": "blue"},
        keypair={"name": "mykey", "public_key": RSA},
        user_data=encoded(b"#cloud-config\npackages: [nginx]\n"),
        flavor="m1.small",
        kernel_id=identifier(2, 1),
        ramdisk_id=identifier(3, 1),
        reservation_id="r-3fj8sk2a",
        boot_roles="member,reader",
        security_groups=["default", "web"],
        interfaces=[
            interface(
                1,
                {
                    "cidr": "10.0.0.0/24",
                    "gateway": "10.0.0.1",
                    "dns": ["8.8.8.8", "8.8.4.4"],
                    "routes": [{"cidr": "172.16.0.0/16", "gateway": "10.0.0.9"}],
                    "addresses": [address("10.0.0.5", "203.0.113.9")],
                },
                {
                    "cidr": "2001:db8:1::/64",
                    "gateway": "2001:db8:1::1",
                    "dns": ["2001:4860:4860::8888"],
                    "addresses": [address("2001:db8:1::5")],
                },
            )
        ],
        root_device_name="/dev/vda",
        default_ephemeral_device="/dev/vdb",
        default_swap_device="/dev/vdc",
        block_devices=[
            {
                "device_name": "/dev/vda",
                "source_type": "image",
                "destination_type": "local",
            },
            {"device_name": "/dev/vdd", "source_type": "volume", "destination_type": "volume"},
        ],
        devices=[
            {
                "type": "nic",
                "mac": "fa:16:3e:00:00:01",
                "vlan": 1000,
                "vf_trusted": True,
                "bus": "pci",
                "address": "0000:00:02.0",
                "tags": ["trusted"],
            },
            {
                "type": "disk",
                "serial": "disk-vol-2352423",
                "path": "/dev/sda",
                "bus": "scsi",
                "address": "05c8:021e:04a7:011b",
                "tags": ["baz", "boot"],
            },
            {
                "type": "share",
                "share_id": "ca3c176e-fd5a-438b-b595-e18a358f6909",
                "tag": "my_share_tag",
            },
        ],
        dedicated_cpus=[0, 1, 3, 4],
        ec2_ids={"instance": 42, "image": 1, "kernel": 2, "ramdisk": 3},
        password="Z3Vlc3QncyBzZWNyZXQ=",
    ),
)

UNICODE = Kind(
    "unicode",
    server(
        3,
        name='naïve "Zürich" \U0001f680 \\ \t 名前',
        hostname="zürich.über",
        availability_zone="zône/1",
        metadata={"größe": "50 €", "名": "行1\n行2", "quote": '"\\/<>&', "ctl": "\x7f\u2028"},
        keypair={"name": "schlüssel=1 a/b", "public_key": f"{RSA} ü"},
        user_data=encoded("#!/bin/sh\necho grüße\n".encode()),
        flavor="größe.klein",
        reservation_id="r-ünïcödé",
        security_groups=["dëfault", "wéb \U0001f310"],
        root_device_name="/dev/vda",
        devices=[{"type": "disk", "serial": "séríal", "path": "/dev/ä", "tags": ["ärger"]}],
    ),
)

SERVERS = [
    MINIMAL,
    FULL,
    UNICODE,
    Kind("requester-unknown", server(4, launch_index=4711), requester=None),
    Kind(
        "wide-ec2-ids",
        server(
            5,
            kernel_id=identifier(5, 1),
            image_id=identifier(6, 1),
            ec2_ids={"instance": 0x123456789, "image": 0xFFFFFFFF, "kernel": 0xABCDEF},
        ),
    ),
    Kind(
        "x509",
        server(6, keypair={"name": "windows", "public_key": CERTIFICATE, "type": "x509"}),
    ),
    Kind("deleted-keypair", server(7, keypair={"name": "gone", "as_booted": RSA})),
    Kind(
        "replaced-keypair",
        server(8, keypair={"name": "again", "public_key": ED25519, "as_booted": RSA}),
    ),
    Kind("user-data-binary", server(9, user_data=encoded(bytes(range(256))))),
    Kind(
        "user-data-gzip",
        server(10, user_data=encoded(gzip.compress(b"#cloud-config\n{}\n", mtime=0))),
    ),
    Kind("user-data-empty", server(11, user_data="")),
    Kind("password-long", server(12, password="0123456789" * 102)),
    Kind(
        "kernel-and-ramdisk",
        server(
            13,
            kernel_id=identifier(2, 1),
            ramdisk_id=identifier(3, 1),
            ec2_ids={"instance": 13, "image": 1, "kernel": 2, "ramdisk": 3},
        ),
    ),
    Kind(
        "security-groups",
        server(14, security_groups=["default", "web", "default", "default", "db"]),
        ports=(("default", "web"), ("default",), (), ("default", "db")),
    ),
    Kind(
        "security-group-unnamed",
        server(15, security_groups=["8b7d5e64-0000-4000-8000-000000000001"]),
        told={"unnamed_groups": True},
    ),
]
