"""Nova's databases as a source, against what real Nova wrote and answered."""

import msgspec
import pytest

from firstlight.documents import Documents, Hole, TreeSettings, seed, segments
from firstlight.instance import Instance
from lab import golden
from lab.golden import NOT_FOUND
from lab.kinds.table import KINDS
from lab.nova_databases import DELETED, Databases

TODAY = "2026-11-21"


@pytest.fixture
def source(nova_databases, opened):
    """Nova's databases, opened from Nova's own nova.conf."""
    return opened(nova_databases.configuration())


def described(kind):
    """The instance of a kind, without what only Neutron knows."""
    instance = msgspec.convert(kind.instance, Instance)
    return msgspec.structs.replace(instance, security_groups=())


@pytest.mark.parametrize("name", KINDS)
def test_the_instance_is_the_one_that_was_made(source, name):
    """Each kind is read as the document describes it."""
    expected = described(KINDS[name])
    assert expected == source.instance(expected.uuid)


@pytest.mark.parametrize("name", [name for name in KINDS if name in golden.names()])
def test_its_documents_are_novas(source, name):
    """Every path is rendered from the databases to the bytes Nova answered."""
    recorded = golden.read(name)
    groups = tuple(KINDS[name].instance.get("security_groups", ()))
    instance = msgspec.structs.replace(
        source.instance(recorded["instance"]["uuid"]), security_groups=groups
    )
    documents = Documents(instance, TreeSettings(), static={}, today=TODAY)
    answers = golden.replies_from_json(recorded)
    wrong = {
        path: (reply.body, found)
        for path, reply in answers.items()
        if reply.status in (200, 404)
        if (found := body(documents, path, recorded["requester"])) != expected_body(reply)
    }
    assert wrong == {}


def expected_body(reply):
    """The bytes; None for what is not there."""
    return None if reply == NOT_FOUND else reply.body


def body(documents, path, requester):
    """Our bytes, the seed marked; None for what is not there."""
    document = documents.get(segments(path), {})
    if document is None:
        return None
    if document.hole is Hole.SEED:
        return document.head + golden.SEED.encode() + document.tail
    return document.body(lambda: seed(bytes), requester)


def test_a_deleted_instance_is_nothing(source):
    """Its rows are there still, marked."""
    assert source.instance(DELETED.instance["uuid"]) is None


def test_its_schemas_are_known(own_databases, opened, caplog):
    """There is nothing to warn of in Nova 34's own schemas."""
    own_databases.run("api", "DELETE FROM cell_mappings WHERE name = 'cell0'")
    assert opened(own_databases.configuration()).prepare() == []
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == []


class TestPassword:
    """What we store, Nova shows."""

    UUID = KINDS["minimal"].instance["uuid"]
    LONG = "0123456789" * 102

    @pytest.mark.parametrize("text", ["short", LONG], ids=["short", "long"])
    def test_nova_shows_it(self, own_databases, opened, text):
        """os-server-password reads what the guest posted."""
        opened(own_databases.configuration()).set_password(self.UUID, text)
        assert text == own_databases.ask("password", self.UUID)

    def test_the_rows_are_novas(self, own_databases, opened, tmp_path):
        """The same rows change, in the same columns, as when Nova stores it."""
        other = own_databases.copied_to(tmp_path / "other")
        opened(own_databases.configuration()).set_password(self.UUID, self.LONG)
        other.ask("post", self.UUID, self.LONG)
        assert rows(own_databases, self.UUID) == rows(other, self.UUID)

    def test_over_an_empty_one(self, own_databases, opened, tmp_path):
        """The same, where a user cleared an earlier one."""
        own_databases.ask("post", self.UUID, "")
        other = own_databases.copied_to(tmp_path / "other")
        opened(own_databases.configuration()).set_password(self.UUID, "x")
        other.ask("post", self.UUID, "x")
        assert rows(own_databases, self.UUID) == rows(other, self.UUID)


def rows(databases, uuid):
    """System metadata and the instance's own row; of times, whether there is one."""
    pairs = databases.run(
        "cell1",
        "SELECT key, value, deleted, created_at IS NULL, updated_at IS NULL, deleted_at IS NULL"
        " FROM instance_system_metadata WHERE instance_uuid = ? ORDER BY key",
        uuid,
    )
    columns = [name for _, name, *_ in databases.run("cell1", "PRAGMA table_info(instances)")]
    columns.remove("updated_at")
    instance = databases.run(
        "cell1",
        f"SELECT updated_at IS NULL, {', '.join(columns)} FROM instances WHERE uuid = ?",
        uuid,
    )
    return pairs, instance


class TestKeypair:
    """Records of keypairs."""

    def test_never_recorded(self, own_databases, opened):
        """An instance whose row holds no record has none, though the user's keypair lives."""
        uuid = KINDS["full"].instance["uuid"]
        own_databases.run("cell1", "UPDATE instance_extra SET keypairs = NULL")
        own_databases.run(
            "api",
            "INSERT INTO key_pairs (name, user_id, fingerprint, public_key, type)"
            " SELECT 'mykey', ?, '00', 'ssh-rsa living', 'ssh'",
            "8ba7de48a5b04fd3a5d3a1f4e2e1c1a0",
        )
        assert own_databases.ask("keypairs", uuid) == []
        assert opened(own_databases.configuration()).instance(uuid).keypair.public_key is None


class TestEc2Ids:
    """Numbers shared with Nova."""

    UUID = KINDS["full"].instance["uuid"]

    @pytest.fixture
    def unnumbered(self, own_databases: Databases) -> Databases:
        """Nobody has a number."""
        own_databases.run("cell1", "DELETE FROM instance_id_mappings")
        own_databases.run("cell1", "DELETE FROM s3_images")
        return own_databases

    def test_nova_takes_ours(self, unnumbered, opened):
        """What we allot, Nova shows."""
        ids = opened(unnumbered.configuration()).instance(self.UUID).ec2_ids
        assert {
            "instance_id": f"i-{ids.instance:08x}",
            "ami_id": f"ami-{ids.image:08x}",
            "kernel_id": f"aki-{ids.kernel:08x}",
            "ramdisk_id": f"ari-{ids.ramdisk:08x}",
        } == unnumbered.ask("numbers", self.UUID)

    def test_we_take_novas(self, unnumbered, opened):
        """What Nova allots, we show."""
        named = unnumbered.ask("numbers", self.UUID)
        ids = opened(unnumbered.configuration()).instance(self.UUID).ec2_ids
        shown = (ids.instance, ids.image, ids.kernel, ids.ramdisk)
        assert list(shown) == [int(name.partition("-")[2], 16) for name in named.values()]

    def test_the_rows_are_novas(self, unnumbered, opened, tmp_path):
        """The same columns are filled as when Nova allots one."""
        other = unnumbered.copied_to(tmp_path / "other")
        opened(unnumbered.configuration()).instance(self.UUID)
        other.ask("numbers", self.UUID)
        for table in ("instance_id_mappings", "s3_images"):
            question = (
                "SELECT uuid, deleted, created_at IS NULL, updated_at IS NULL, deleted_at IS NULL"
                f" FROM {table} ORDER BY uuid"
            )
            assert other.run("cell1", question) == unnumbered.run("cell1", question)

    def test_where_nova_made_two(self, own_databases, opened):
        """Both take the lowest."""
        own_databases.run(
            "cell1", "INSERT INTO instance_id_mappings (uuid, deleted) VALUES (?, 0)", self.UUID
        )
        ids = opened(own_databases.configuration()).instance(self.UUID).ec2_ids
        assert f"i-{ids.instance:08x}" == own_databases.ask("numbers", self.UUID)["instance_id"]
