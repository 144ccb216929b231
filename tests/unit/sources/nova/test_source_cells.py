"""Which database is asked, and what is said of databases that cannot be."""

import logging

import pytest

from firstlight.health import troubles
from firstlight.sources import SourceUnavailable
from firstlight.sources.nova import BadConnection, TooOld

NOBODY = "00000000-0000-4000-8000-00000000dead"


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
        away = [name for name, trouble in troubles(source.dependencies()).items() if trouble]
        assert away == ["cell away"]

    def test_all_cells_away(self, databases, opened):
        """Then no instance can be found, and every database that is known is named."""
        databases.map_cell(2, "bad", "oracle://nova/nova")
        uuid = databases.add("full")
        databases.cell.path.rename(databases.directory / "moved")
        source = opened()
        with pytest.raises(SourceUnavailable):
            source.instance(uuid)
        assert "cell cell1" in source.healthy()
        found = troubles(source.dependencies())
        assert {name: bool(trouble) for name, trouble in found.items()} == {
            "API database": False,
            "cell cell1": True,
            "cell bad": True,
        }

    def test_a_probe_finds_what_is_back(self, databases, opened):
        """Nobody has to ask for an instance to end the trouble; a corrected URL is found, too."""
        databases.map_cell(2, "bad", "oracle://nova/nova")
        uuid = databases.add("full")
        clock = iter(range(0, 1000, 10)).__next__
        source = opened(clock=clock)
        moved = databases.cell.path.rename(databases.directory / "moved")
        with pytest.raises(SourceUnavailable):
            source.instance(uuid)
        moved.rename(databases.cell.path)
        databases.api.run(
            f"UPDATE cell_mappings SET database_connection = '{databases.cell.url}' WHERE id = 2"
        )
        for dependency in source.dependencies():
            dependency.probe()
        assert not any(troubles(source.dependencies()).values())

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
        assert not any(troubles(source.dependencies()).values())

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
