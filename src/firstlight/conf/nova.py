"""What else of a nova.conf says how Nova's databases are read."""

from oslo_config import cfg


def _parameters(group: str) -> tuple[str, list[cfg.Opt]]:
    option = cfg.StrOpt(
        "connection_parameters",
        default="",
        help="Added to the query of the URL; ``param1=value1&param2=value2``.",
    )
    return group, [option]


OPTIONS = [
    (
        "DEFAULT",
        [
            cfg.StrOpt(
                "injected_network_template",
                help="""
Jinja2 template of the legacy network_config, for networks that [DEFAULT] flat_injected of the
compute service marked. Unset: what Nova's own template gives; empty: there is none.
""",
            ),
        ],
    ),
    _parameters("api_database"),
    _parameters("database"),
]
