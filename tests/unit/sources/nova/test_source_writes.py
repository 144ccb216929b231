"""What the source writes into databases that are Nova's."""

import threading

import pytest

from firstlight.instance import Ec2Ids
from firstlight.sources import InstanceGone, PasswordSet

NOBODY = "00000000-0000-4000-8000-00000000dead"


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
