"""Two cells of real Nova, and several processes on one."""

import shutil

import pytest

from firstlight.sources import SourceUnavailable
from lab.kinds.table import KINDS
from lab.nova_source.reading import read_at_once

HERE, THERE = (KINDS[name].instance["uuid"] for name in ("minimal", "full"))


@pytest.fixture
def two_cells(own_databases):
    """A second cell, in which one of the instances has another name."""
    directory = own_databases.directory
    shutil.copy(directory / "cell1.sqlite", directory / "cell2.sqlite")
    own_databases.run(
        "api",
        "INSERT INTO cell_mappings (id, uuid, name, transport_url, database_connection, disabled)"
        " VALUES (9, '00000001-0000-4000-8000-0000000000c2', 'cell2', 'fake:///',"
        " replace(?, 'cell1', 'cell2'), 0)",
        own_databases.cell_url,
    )
    own_databases.run(
        "api", "UPDATE instance_mappings SET cell_id = 9 WHERE instance_uuid = ?", THERE
    )
    own_databases.run("cell2", "UPDATE instances SET hostname = 'there'")
    return own_databases


def test_each_in_its_own(two_cells, opened):
    """The mapping decides, whatever else the other cell holds."""
    source = opened(two_cells.configuration())
    assert [source.instance(uuid).hostname for uuid in (HERE, THERE)] == ["server-1", "there"]


def test_a_cell_that_is_gone(two_cells, opened):
    """Only its own instances suffer."""
    (two_cells.directory / "cell2.sqlite").unlink()
    source = opened(two_cells.configuration())
    with pytest.raises(SourceUnavailable, match="cell cell2"):
        source.instance(THERE)
    assert source.instance(HERE).hostname == "server-1"


def test_without_a_mapping(two_cells, opened):
    """Nova's default: the service's own database."""
    two_cells.run("api", "DELETE FROM instance_mappings")
    assert opened(two_cells.configuration()).instance(THERE).hostname == "web-1"


def test_processes_that_number_at_once(own_databases):
    """However many services ask for the first time, there is one number each."""
    own_databases.run("cell1", "DELETE FROM instance_id_mappings")
    own_databases.run("cell1", "DELETE FROM s3_images")
    found = read_at_once(own_databases.nova_conf, THERE, processes=4)
    assert len(set(found)) == 1
    [(instances,)] = own_databases.run("cell1", "SELECT count(*) FROM instance_id_mappings")
    [(images,)] = own_databases.run("cell1", "SELECT count(*) FROM s3_images")
    assert (instances, images) == (1, 3)
