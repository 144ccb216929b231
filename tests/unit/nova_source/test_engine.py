"""URLs of Nova's databases, as operators write them."""

import importlib.util

import pytest

from firstlight.sources.nova import engine

OWN = "mysql+pymysql://nova:p%40ss@db1:3307/nova_cell0?charset=utf8"


class TestResolved:
    """Templates in cell mappings."""

    def test_all_of_novas_names(self):
        """Every part of [database] connection can be referred to."""
        template = "{scheme}://{username}:{password}@{hostname}:{port}/nova_cell1?{query}"
        assert engine.resolved(template, OWN) == (
            "mysql+pymysql://nova:p%40ss@db1:3307/nova_cell1?charset=utf8"
        )

    def test_path(self):
        """The path comes without its slash."""
        assert engine.resolved("mysql://other/{path}", OWN) == "mysql://other/nova_cell0"

    def test_no_template(self):
        """Another URL stays as it is."""
        assert engine.resolved("mysql://a@b/c", None) == "mysql://a@b/c"

    def test_nothing_to_fill_it_from(self):
        """A template needs [database] connection."""
        with pytest.raises(engine.BadConnection, match=r"\[database\] connection"):
            engine.resolved("{scheme}://{hostname}/nova", None)

    @pytest.mark.parametrize("template", ["{scheme}://{host}/nova", "{", "{0}"])
    def test_a_wrong_template(self, template):
        """What Nova has no name for is refused, without showing the URL."""
        with pytest.raises(engine.BadConnection, match="template") as caught:
            engine.resolved(template, OWN)
        assert "p%40ss" not in str(caught.value)


class TestParse:
    """SQLAlchemy URLs."""

    @pytest.mark.parametrize(
        ("url", "module", "driver"),
        [
            ("mysql://nova@db/nova", "MySQLdb", "mysql+pymysql"),
            ("mysql+mysqldb://nova@db/nova", "MySQLdb", "mysql+pymysql"),
            ("postgresql://nova@db/nova", "psycopg2", "postgresql+psycopg"),
            ("postgresql+psycopg2://nova@db/nova", "psycopg2", "postgresql+psycopg"),
            ("mysql+pymysql://nova@db/nova", "", "mysql+pymysql"),
        ],
    )
    def test_a_driver_that_is_there(self, url, module, driver):
        """Where an operator's driver is not installed, ours reads the same database."""
        if module and importlib.util.find_spec(module):
            driver = {"MySQLdb": url, "psycopg2": url}[module].partition(":")[0]
        assert driver == engine.parse(url).drivername

    def test_parameters(self):
        """connection_parameters are added to the query."""
        parsed = engine.parse("mysql+pymysql://nova@db/nova?charset=utf8", "ssl_ca=/ca.pem&a=1")
        assert dict(parsed.query) == {"charset": "utf8", "ssl_ca": "/ca.pem", "a": "1"}

    @pytest.mark.parametrize("url", ["nova", "mysql://nova:secret@db:port/x", "oracle://secret@db"])
    def test_no_url_of_ours(self, url):
        """It is refused without showing what may be a password."""
        with pytest.raises(engine.BadConnection) as caught:
            engine.parse(url)
        assert "secret" not in str(caught.value)
