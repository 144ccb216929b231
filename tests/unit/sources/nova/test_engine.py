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
        """Without [database] connection nothing is filled in."""
        assert engine.resolved("{scheme}://{hostname}/nova", None) == "{scheme}://{hostname}/nova"

    @pytest.mark.parametrize(
        "url",
        [
            "{scheme}://{host}/nova",
            "mysql://u:{@db/nova",
            "mysql://u:}@db/c",
            "mysql://u:a{0}@db/c",
        ],
    )
    def test_a_password_with_braces(self, url, caplog):
        """What cannot be filled is used as it stands, and no password reaches the log."""
        caplog.set_level("DEBUG")
        assert engine.resolved(url, OWN) == url
        assert "p%40ss" not in caplog.text
        assert "a{0}" not in caplog.text

    def test_several_hosts(self):
        """Each host of [database] connection has its own names."""
        own = "mysql://a:b@one:1,c:d@two/nova"
        template = "mysql://{username2}:{password1}@{hostname2}:{port1}/x"
        assert engine.resolved(template, own) == "mysql://c:b@two:1/x"


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
