"""Nova's databases on a real MariaDB, made by Nova's own migrations and objects."""

import time

import msgspec
import pytest
from sqlalchemy import create_engine, text

import lab.nova
from firstlight import conf
from firstlight.instance import Ec2Ids, Instance
from firstlight.sources import PasswordSet, SourceUnavailable
from firstlight.sources.nova import open_nova
from lab.kinds.table import KINDS
from lab.nova_databases import DELETED, Databases
from lab.nova_source.reading import read_at_once
from lab.on_mariadb import FITTING, empty_databases
from support.servers.databases import eventually

FULL, MINIMAL = (KINDS[name].instance["uuid"] for name in ("full", "minimal"))


class Nova(Databases):
    """The same questions; the databases are on a server."""

    def query(self, statement, **values):
        """Rows of a statement on the cell's database."""
        engine = create_engine(self.cell_url)
        try:
            with engine.begin() as connection:
                result = connection.execute(text(statement), values)
                return result.all() if result.returns_rows else []
        finally:
            engine.dispose()

    @property
    def cell_url(self):
        return self.configuration().database.connection


@pytest.fixture(scope="module")
def nova(lab_environment, mariadb, tmp_path_factory):
    """Two databases on MariaDB with instances of every kind."""
    directory = tmp_path_factory.mktemp("nova-mariadb")
    urls = empty_databases(mariadb, "nova")
    nova = lab.nova.Nova(lab_environment, directory, neutron="http://127.0.0.1:1", databases=urls)
    nova.make_instances([*FITTING.values(), DELETED])
    return Nova(lab_environment, directory)


@pytest.fixture
def source(nova, opened):
    """Nova's databases, opened from Nova's own nova.conf."""
    return opened(nova.configuration())


@pytest.mark.parametrize("name", FITTING)
def test_the_instance_is_the_one_that_was_made(source, name):
    """Each kind is read as the document describes it."""
    expected = msgspec.convert(FITTING[name].instance, Instance)
    expected = msgspec.structs.replace(expected, security_groups=())
    assert source.instance(expected.uuid) == expected


def test_a_deleted_instance_is_nothing(source):
    """Its rows are there still, marked."""
    assert source.instance(DELETED.instance["uuid"]) is None


def test_a_template(nova, opened):
    """A cell's URL made of the parts of [database] connection."""
    url = nova.configuration().api_database.connection
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE cell_mappings SET database_connection = :url WHERE name = 'cell1'"),
            {"url": "{scheme}://{username}@{hostname}:{port}/{path}?{query}"},
        )
    engine.dispose()
    assert opened(nova.configuration()).instance(FULL) is not None


def test_nova_shows_the_password(nova, source):
    """os-server-password reads what the guest posted; a second one is refused."""
    source.set_password(MINIMAL, "0123456789" * 102)
    assert nova.ask("password", MINIMAL) == "0123456789" * 102
    with pytest.raises(PasswordSet):
        source.set_password(MINIMAL, "another")


def test_processes_that_number_at_once(nova):
    """However many services ask for the first time, there is one number each."""
    nova.query("DELETE FROM instance_id_mappings WHERE uuid = :uuid", uuid=FULL)
    nova.query("DELETE FROM s3_images")
    found = read_at_once(nova.nova_conf, FULL, processes=4)
    assert len(set(found)) == 1
    mapped = "SELECT count(*) FROM instance_id_mappings WHERE uuid = :uuid"
    assert nova.query(mapped, uuid=FULL) == [(1,)]
    assert nova.query("SELECT count(*) FROM s3_images") == [(3,)]


def test_nothing_but_the_questions(nova, source):
    """A cold instance costs the server three statements: none begins, ends or tries anything."""
    count = "SHOW GLOBAL STATUS LIKE 'Questions'"
    source.instance(FULL)
    engine = create_engine(nova.cell_url)
    with engine.connect() as connection:
        before = int(connection.execute(text(count)).one()[1])
        source.instance(FULL)
        after = int(connection.execute(text(count)).one()[1])
    engine.dispose()
    assert after - before == 3 + 1  # one is the second count itself


def test_tables_of_other_years(nova, source):
    """Tables whose collations differ are read as ever."""
    before = source.instance(FULL)
    alter = (
        "ALTER TABLE block_device_mapping"
        " MODIFY source_type VARCHAR(255) CHARACTER SET {0}, MODIFY device_name VARCHAR(255)"
        " CHARACTER SET {0}"
    )
    nova.query(alter.format("utf8mb4 COLLATE utf8mb4_unicode_ci"))
    try:
        assert source.instance(FULL) == before
    finally:
        nova.query(alter.format("utf8mb3"))


def test_connections_that_broke_while_they_rested(nova, source, mariadb):
    """The first question after the server was restarted is answered."""
    before = source.instance(FULL)
    mariadb.stop()
    mariadb.start()
    time.sleep(1.1)  # what was in use a moment ago is not tried before it is used again
    assert source.instance(FULL) == before


def test_a_server_that_stops(nova, mariadb):
    """What cannot be asked is said by name; when it is back, nothing needs a restart."""
    source = open_nova(conf.load("metadata", [str(nova.nova_conf)]), timeout=2.0)
    assert source.instance(FULL) is not None
    mariadb.stop()
    with pytest.raises(SourceUnavailable, match="API database"):
        source.instance(FULL)
    assert "API database" in (source.healthy() or "")
    mariadb.start()
    assert eventually(lambda: _ids(source) is not None)
    assert source.healthy() is None
    source.close()


def test_a_server_that_hangs(nova, mariadb):
    """Nobody waits for ever, and while it hangs only one at a time waits at all."""
    source = open_nova(conf.load("metadata", [str(nova.nova_conf)]), timeout=1.0)
    assert source.instance(FULL) is not None
    mariadb.pause()
    try:
        for _ in range(3):
            with pytest.raises(SourceUnavailable, match="API database"):
                source.instance(FULL)
    finally:
        mariadb.resume()
    assert eventually(lambda: _ids(source) is not None)
    source.close()


def _ids(source) -> Ec2Ids | None:
    try:
        return source.instance(FULL).ec2_ids
    except SourceUnavailable:
        return None
