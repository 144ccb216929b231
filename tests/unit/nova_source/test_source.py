"""The source over small databases with rows that Nova 34 wrote."""

import logging
import threading

import pytest
from sqlalchemy import event

from firstlight.instance import Ec2Ids, Keypair
from firstlight.sources import InstanceGone, PasswordSet, SourceUnavailable
from firstlight.sources.nova import BadConnection, TooOld

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
        """One to the API database and three to the cell, once its image's number is known."""
        uuid = databases.add("full")
        source = opened()
        source.instance(uuid)
        asked: list[str] = []
        for database in (source._cells._api, source._cells.known()[0].database):
            event.listen(
                database._engine,
                "before_cursor_execute",
                lambda _c, _cursor, statement, *_: asked.append(statement),
            )
        source.instance(uuid)
        assert len(asked) == 4


class TestCells:
    """Which database is asked."""

    def test_the_mapped_one(self, databases, opened):
        """Each instance is read in its own cell."""
        second = databases.new_cell("cell2")
        databases.map_cell(2, "cell2", second.url)
        first, other = databases.add("full"), databases.add("injected", second, 2)
        source = opened()
        assert [source.instance(u).hostname for u in (first, other)] == ["web-1", "server-58"]

    def test_a_template(self, databases, opened):
        """A cell's URL may be made of the parts of [database] connection."""
        databases.api.run("UPDATE cell_mappings SET database_connection = '{scheme}:////{path}'")
        uuid = databases.add("full")
        text = (
            f"[api_database]\nconnection={databases.api.url}\n"
            f"[database]\nconnection={databases.cell.url}\n"
        )
        assert opened(text).instance(uuid) is not None

    def test_a_template_without_anything_to_fill_it(self, databases, opened):
        """The cell is named, and what to set."""
        databases.api.run("UPDATE cell_mappings SET database_connection = '{scheme}:////{path}'")
        uuid = databases.add("full")
        with pytest.raises(SourceUnavailable, match=r"cell1.*\[database\] connection"):
            opened().instance(uuid)

    @pytest.mark.parametrize("mapping", ["missing", "to no cell"])
    def test_the_services_own(self, databases, opened, mapping):
        """Without a cell in its mapping an instance is looked for in [database]."""
        uuid = databases.add("full", number=None)
        if mapping == "to no cell":
            databases.api.add("instance_mappings", {"instance_uuid": uuid, "cell_id": None})
        text = f"[api_database]\nconnection={databases.api.url}\n"
        assert opened(text).instance(uuid) is None
        assert opened(f"{text}[database]\nconnection={databases.cell.url}\n").instance(uuid)

    def test_one_cell(self, databases, opened):
        """With local_metadata_per_cell no API database is asked."""
        uuid = databases.add("full", number=None)
        source = opened(
            f"[api]\nlocal_metadata_per_cell=true\n[database]\nconnection={databases.cell.url}\n"
            "[api_database]\nconnection=sqlite:////gone\n"
        )
        assert source.instance(uuid) is not None
        assert source.instance(NOBODY) is None

    def test_a_cell_that_is_away(self, databases, opened):
        """It is named, and the instances of the others are found."""
        databases.map_cell(2, "away", "sqlite:////gone/nova.sqlite")
        uuid, other = databases.add("full"), databases.add("injected", number=2)
        source = opened()
        with pytest.raises(SourceUnavailable, match="cell away"):
            source.instance(other)
        assert source.instance(uuid) is not None
        assert source.healthy() is None
        [name] = source.cell_troubles()
        assert name.startswith("cell away ")

    def test_a_cell_that_comes_back(self, databases, opened):
        """Nothing needs a restart."""
        uuid = databases.add("full")
        clock = iter(range(0, 1000, 10)).__next__
        source = opened(clock=clock)
        moved = databases.cell.path.rename(databases.directory / "moved")
        with pytest.raises(SourceUnavailable):
            source.instance(uuid)
        moved.rename(databases.cell.path)
        assert source.instance(uuid) is not None
        assert source.cell_troubles() == {}

    def test_a_new_cell(self, databases, opened):
        """A cell that was mapped after the start is found."""
        source = opened()
        source.instance(databases.add("full"))
        second = databases.new_cell("cell2")
        databases.map_cell(2, "cell2", second.url)
        assert source.instance(databases.add("injected", second, 2)) is not None

    def test_a_cell_that_moves(self, databases, opened):
        """Its new URL is used once the list of cells has grown old."""
        uuid = databases.add("full")
        clock = iter(range(0, 10_000, 100)).__next__
        source = opened(clock=clock)
        assert source.instance(uuid) is not None
        databases.api.run(
            "UPDATE cell_mappings SET database_connection = ?", (databases.new_cell("empty").url,)
        )
        assert source.instance(uuid) is None

    def test_no_such_cell(self, databases, opened):
        """A mapping that leads nowhere is a failure, not nothing."""
        uuid = databases.add("full", number=7)
        with pytest.raises(SourceUnavailable, match="maps an instance to cell 7"):
            opened().instance(uuid)

    def test_the_api_database_is_away(self, databases, opened):
        """The source is not healthy."""
        source = opened("[api_database]\nconnection=sqlite:////gone/api.sqlite\n")
        with pytest.raises(SourceUnavailable, match="API database"):
            source.instance(NOBODY)
        assert "API database" in source.healthy()


class TestOpening:
    """Configurations."""

    @pytest.mark.parametrize(
        ("text", "named"),
        [
            ("[DEFAULT]\n", r"\[api_database\] connection"),
            ("[api]\nlocal_metadata_per_cell=true\n", r"\[database\] connection"),
            ("[api_database]\nconnection=oracle://x\n", r"\[api_database\] connection: .*oracle"),
            ("[database]\nconnection=nonsense\n", r"\[database\] connection"),
        ],
    )
    def test_unusable(self, opened, text, named):
        """A URL that cannot be used stops the start by name."""
        with pytest.raises(BadConnection, match=named):
            opened(text)


class TestPrepare:
    """Looking at the schemas before anybody asks."""

    def test_all_well(self, databases, opened):
        """There is nothing to say."""
        assert opened().prepare() == []

    def test_a_database_that_is_away(self, databases, opened):
        """It is told, and the start goes on."""
        databases.map_cell(2, "away", "sqlite:////gone/nova.sqlite")
        [told] = opened().prepare()
        assert "cell away" in told

    def test_too_old(self, databases, opened):
        """A schema from before alembic is refused by name, then and at every use."""
        uuid = databases.add("full")
        databases.cell.run("DROP TABLE alembic_version")
        source = opened()
        with pytest.raises(TooOld, match=r"cell cell1.*older than Nova 24"):
            source.prepare()
        with pytest.raises(SourceUnavailable, match="older than Nova 24"):
            source.instance(uuid)

    def test_too_new(self, databases, opened, caplog):
        """A later schema is read, and logged once."""
        uuid = databases.add("full")
        databases.cell.run("UPDATE alembic_version SET version_num = 'feedfacecafe'")
        source = opened()
        with caplog.at_level(logging.WARNING):
            assert source.prepare() == []
            assert source.instance(uuid) is not None
        [record] = caplog.records
        assert "feedfacecafe" in record.getMessage()

    def test_the_wrong_one(self, databases, opened):
        """A cell's database in the place of the API database is refused."""
        source = opened(f"[api_database]\nconnection={databases.cell.url}\n")
        with pytest.raises(TooOld, match=r"API database .* another"):
            source.prepare()


class TestEc2Ids:
    """Numbers shared with Nova."""

    def test_those_that_are_there(self, databases, opened):
        """The lowest counts where Nova has made two."""
        uuid = databases.add("full")
        databases.cell.add("instance_id_mappings", *({"id": i, "uuid": uuid} for i in (9, 7)))
        images = [f"00000001-0000-4000-8000-{n:012}" for n in (1, 2, 3)]
        rows = [{"id": 10 + n, "uuid": image} for n, image in enumerate(images)]
        databases.cell.add("s3_images", *rows, {"id": 20, "uuid": images[0]})
        ids = opened().instance(uuid).ec2_ids
        assert ids == Ec2Ids(instance=7, image=10, kernel=11, ramdisk=12)

    def test_those_that_are_not(self, databases, opened):
        """They are made as Nova makes them, and stay."""
        uuid = databases.add("full")
        databases.cell.add("instance_id_mappings", {"id": 41, "uuid": NOBODY})
        made = opened().instance(uuid).ec2_ids
        assert made == Ec2Ids(instance=42, image=1, kernel=2, ramdisk=3)
        assert [(42, uuid, 0, "2026-11-21 12:00:00.000000")] == databases.cell.run(
            "SELECT id, uuid, deleted, created_at FROM instance_id_mappings WHERE id > 41"
        )
        assert made == opened().instance(uuid).ec2_ids

    def test_boot_from_volume(self, databases, opened):
        """No image, no number."""
        uuid = databases.add("injected")
        databases.cell.run("UPDATE instances SET image_ref = '', kernel_id = ''")
        assert opened().instance(uuid).ec2_ids == Ec2Ids(instance=1)
        assert databases.cell.run("SELECT id FROM s3_images") == []

    def test_many_at_once(self, databases, opened):
        """However many threads ask for the first time, there is one number each."""
        uuid = databases.add("full")
        source = opened()
        found: list[Ec2Ids] = []
        threads = [
            threading.Thread(target=lambda: found.append(source.instance(uuid).ec2_ids))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [Ec2Ids(instance=1, image=1, kernel=2, ramdisk=3)] * 8 == found
        assert databases.cell.run("SELECT count(*) FROM instance_id_mappings") == [(1,)]


class TestPassword:
    """What the guest posts."""

    def test_four_pieces(self, databases, opened):
        """Of 255 characters, as Nova's rows are."""
        uuid = databases.add("injected")
        source = opened()
        source.set_password(uuid, "0123456789" * 60)
        assert source.instance(uuid).password == "0123456789" * 60
        rows = databases.cell.run(
            "SELECT key, length(value), deleted, created_at FROM instance_system_metadata"
        )
        now = "2026-11-21 12:00:00.000000"
        assert [
            ("password_0", 255, 0, now),
            ("password_1", 255, 0, now),
            ("password_2", 90, 0, now),
            ("password_3", 0, 0, now),
        ] == rows

    def test_set_already(self, databases, opened):
        """Once is enough; whoever set it."""
        uuid = databases.add("full")
        source = opened()
        with pytest.raises(PasswordSet):
            source.set_password(uuid, "another")
        assert source.instance(uuid).password == "Z3Vlc3QncyBzZWNyZXQ="

    def test_cleared(self, databases, opened):
        """After the user cleared it, the same rows take the next."""
        uuid = databases.add("full")
        databases.cell.run(
            "UPDATE instance_system_metadata SET value = '' WHERE key LIKE 'password%'"
        )
        source = opened()
        source.set_password(uuid, "new")
        assert source.instance(uuid).password == "new"
        changed = databases.cell.run(
            "SELECT key, updated_at IS NULL FROM instance_system_metadata ORDER BY key"
        )
        assert [
            ("boot_roles", 1),
            ("password_0", 0),
            *((f"password_{n}", 1) for n in (1, 2, 3)),  # empty before and after
        ] == changed

    def test_empty(self, databases, opened):
        """Four empty pieces are no password: the next one is stored."""
        uuid = databases.add("injected")
        source = opened()
        source.set_password(uuid, "")
        source.set_password(uuid, "x")
        assert source.instance(uuid).password == "x"

    @pytest.mark.parametrize("how", ["deleted", "unknown"])
    def test_gone(self, databases, opened, how):
        """There is no instance to store it for."""
        uuid = databases.add("injected") if how == "deleted" else NOBODY
        databases.cell.run("UPDATE instances SET deleted = 1")
        with pytest.raises(InstanceGone):
            opened().set_password(uuid, "x")

    def test_many_at_once(self, databases, opened):
        """One guest wins."""
        uuid = databases.add("injected")
        source = opened()
        lost: list[str] = []

        def post(text: str) -> None:
            try:
                source.set_password(uuid, text)
            except PasswordSet:
                lost.append(text)

        threads = [threading.Thread(target=post, args=(f"guest {n}",)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(lost) == 7
        assert source.instance(uuid).password not in lost


def test_there_is_nothing_to_watch(opened):
    """Nova tells of no change; what is returned stops nothing."""
    opened().watch(lambda uuid: pytest.fail(f"told of {uuid}"))()
