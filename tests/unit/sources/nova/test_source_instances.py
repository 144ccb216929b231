"""Instances over small databases with rows that Nova 34 wrote."""

import pytest
from sqlalchemy import event

from firstlight.instance import Keypair
from firstlight.sources import SourceUnavailable

NOBODY = "00000000-0000-4000-8000-00000000dead"


class TestInstance:
    """One instance, wherever it is."""

    def test_recorded(self, databases, opened):
        """Everything the cell's tables say of it."""
        found = opened().instance(databases.add("full"))
        assert (
            found.hostname,
            found.launch_index,
            found.availability_zone,
            found.flavor,
        ) == ("web-1", 1, "nova", "m1.small")
        assert list(found.metadata) == ["role", "dsmode", "a", "colour"]
        assert (found.boot_roles, found.password) == ("member,reader", "Z3Vlc3QncyBzZWNyZXQ=")
        assert [d.device_name for d in found.block_devices] == ["/dev/vda", "/dev/vdd"]

    def test_deleted_keypair(self, databases, opened):
        """The key's text outlives its record."""
        found = opened().instance(databases.add("deleted-keypair"))
        assert found.keypair == Keypair(name="gone", as_booted=found.keypair.ec2_text)
        assert found.keypair.ec2_text.startswith("ssh-rsa ")

    def test_a_replaced_keypair(self, databases, opened):
        """The record's text and the instance's are both kept."""
        uuid = databases.add("full")
        databases.cell.run("UPDATE instances SET key_data = 'older'")
        key = opened().instance(uuid).keypair
        assert (key.as_booted, key.public_key.startswith("ssh-rsa ")) == ("older", True)

    def test_nobody(self, opened):
        """An unknown id is nothing, not a failure."""
        assert opened().instance(NOBODY) is None

    @pytest.mark.parametrize("key", ["", "nobody", "a\x00b", NOBODY.upper()])
    def test_no_uuid(self, opened, key):
        """What cannot be an id is not asked of any database."""
        assert opened("[api_database]\nconnection=sqlite:////gone\n").instance(key) is None

    def test_deleted(self, databases, opened):
        """A row marked as deleted is nothing."""
        uuid = databases.add("full")
        databases.cell.run("UPDATE instances SET deleted = 1")
        assert opened().instance(uuid) is None

    def test_deleted_parts(self, databases, opened):
        """Metadata, passwords and block devices marked as deleted are not shown."""
        uuid = databases.add("full")
        for table in ("instance_metadata", "instance_system_metadata", "block_device_mapping"):
            databases.cell.run(f"UPDATE {table} SET deleted = id")
        found = opened().instance(uuid)
        assert (
            found.metadata,
            found.boot_roles,
            found.password,
            found.block_devices,
        ) == ({}, "", "", ())

    def test_without_extra_and_cache(self, databases, opened):
        """An instance from before those tables is an instance."""
        uuid = databases.add("full")
        databases.cell.run("DELETE FROM instance_extra")
        databases.cell.run("DELETE FROM instance_info_caches")
        row = {"instance_uuid": uuid, "key": "instance_type_name", "value": "m1.old", "deleted": 0}
        databases.cell.add("instance_system_metadata", row)
        found = opened().instance(uuid)
        assert (
            found.flavor,
            found.interfaces,
            found.devices,
            found.dedicated_cpus,
        ) == ("m1.old", (), (), ())

    @pytest.mark.parametrize(
        ("table", "column"),
        [
            ("instance_extra", "flavor"),
            ("instance_extra", "device_metadata"),
            ("instance_info_caches", "network_info"),
        ],
    )
    @pytest.mark.parametrize("text", ["{", "{}x", '{"nova_object.data": 1}'])
    def test_what_nova_does_not_write(self, databases, opened, table, column, text):
        """It concerns that instance, and the column is named."""
        uuid = databases.add("full")
        other = databases.add("injected")
        databases.cell.run(f"UPDATE {table} SET {column} = ? WHERE instance_uuid = ?", (text, uuid))
        source = opened()
        with pytest.raises(SourceUnavailable, match=column):
            source.instance(uuid)
        assert source.instance(other) is not None

    def test_a_handful_of_queries(self, databases, opened):
        """One to the API database and two to the cell, once its image's number is known."""
        uuid = databases.add("full")
        source = opened()
        source.instance(uuid)
        asked: list[str] = []
        for database in (source._cells.api, source._cells.known()[0].database):
            event.listen(
                database._engine,
                "before_cursor_execute",
                lambda _c, _cursor, statement, *_: asked.append(statement),
            )
        source.instance(uuid)
        assert len(asked) == 3


def test_there_is_nothing_to_watch(opened):
    """Nova tells of no change; what is returned stops nothing."""
    opened().watch(lambda uuid: pytest.fail(f"told of {uuid}"))()
