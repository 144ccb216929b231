"""How the getting-started page is read and compared, and what its files say."""

import pytest
from oslo_config import cfg

from cloud import ini, page
from cloud.subset import AGENT_CONF, NOVA_CONF
from firstlight_dpm import options

TABLE = """\
+----+----------+------+
| ID | Name     |  RAM |
+----+----------+------+
| 1  | m1.tiny  |  512 |
| 2  | m1.small | 2048 |
+----+----------+------+
"""


@pytest.mark.parametrize(
    ("shown", "missing"),
    [
        ("| ID | Name | RAM |\n| 2 | m1.small | 2048 |\n", []),
        ("| ID | Name | RAM |\n| … | m1.… | … |\n", []),
        ("| ID | Name | RAM |\n| 2 | m1.tiny | 512 |\n", ["2 | m1.tiny | 512"]),
        ("| ID | Name | RAM |\n| 1 | m1.tiny | 51 |\n", ["1 | m1.tiny | 51"]),
        ("| ID | Name |\n| 1 | m1.tiny |\n", ["[('ID', 'Name')] is [('ID', 'Name', 'RAM')]"]),
    ],
)
def test_what_is_missing(shown: str, missing: list[str]) -> None:
    """Columns are the same, and each row of the page is there; an ellipsis is anything."""
    assert page.missing(shown, TABLE) == missing


def test_an_error_is_no_table() -> None:
    """A command that printed something else has not shown the page's table."""
    assert page.missing(TABLE, "openstack: command failed\n") != []


def test_every_command_shows_something() -> None:
    """No command of the page is there without a table to be compared."""
    commands = page.commands(page.PAGE.read_text())
    assert [shown.line for shown in commands if not page.missing(shown.printed, "")] == []


@pytest.mark.parametrize(
    ("path", "known"),
    [(NOVA_CONF, options.list_compute_options), (AGENT_CONF, options.list_network_options)],
)
def test_its_options_are_there(path: str, known: object, tmp_path) -> None:
    """Each option of [dpm] that the page sets is one, and its value is accepted."""
    ((group, listed),) = known()
    conf = cfg.ConfigOpts()
    conf.register_opts(listed, group=group)
    sections = page.file(page.PAGE.read_text(), path)
    conf(["--config-file", str(ini.write(tmp_path / "page.conf", sections))])
    for name in sections["dpm"]:
        assert conf.dpm[name]
