"""Run by tools/record-options: prints the options of the release that PYTHONPATH has, as JSON.

By section and option: the deprecated names, each ``[section, name]``, and the default.
"""

import ast
import importlib
import json
import sys
import types
from pathlib import Path

from oslo_config import cfg


def main():
    # Older releases declare namespace packages by it; nothing else of it is used here.
    old = types.ModuleType("pkg_resources")
    old.__dict__["declare_namespace"] = lambda _name: None
    sys.modules.setdefault("pkg_resources", old)
    project, *sections = sys.argv[1:]
    found = {section: {} for section in sections}
    for group, options in [*PROJECTS[project](), *_libraries()]:
        section = _section(group)
        if section in found:
            for option in options:
                found[section].setdefault(option.dest, _said(option, section))
    print(json.dumps(found))


def _nova():
    conf = importlib.import_module("nova.conf").CONF
    for info, group in conf._all_opt_infos():
        yield group, [info["opt"]]


# The lists of neutron.conf that are not for [DEFAULT], as far as they are for sections of interest.
_LISTS = {
    "AGENT_STATE_OPTS": "agent",
    "METADATA_RATE_LIMITING_OPTS": "metadata_rate_limiting",
    "OVS_OPTS": "ovs",
    "ovn_opts": "ovn",
}


def _neutron():
    """From the source: importing it takes what the agents need, in that release's versions."""
    here = next(one for path in sys.path if (one := Path(path) / "neutron/conf").is_dir())
    for file in sorted(here.rglob("*.py")):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                options = [one for one in map(_option, ast.walk(node.value)) if one is not None]
                yield _LISTS.get(node.targets[0].id), options


def _option(node):
    """The option that a call such as ``cfg.StrOpt('name', default='x')`` makes."""
    if not isinstance(node, ast.Call) or not ast.unparse(node.func).endswith("Opt"):
        return None
    if ast.unparse(node.func) == "cfg.DeprecatedOpt":
        return None
    said = {one.arg: one.value for one in node.keywords}
    formerly = [
        cfg.DeprecatedOpt(*map(_value, one.args), **{k.arg: _value(k.value) for k in one.keywords})
        for one in getattr(said.get("deprecated_opts"), "elts", ())
    ]
    words = {
        key: _value(said[key]) for key in ("deprecated_name", "deprecated_group") if key in said
    }
    default = said.get("sample_default", said.get("default"))
    option = cfg.Opt(_value(node.args[0]), deprecated_opts=formerly, **words)
    option.default = None if default is None else _value(default)
    return option


def _value(node):
    """A literal's value; of an expression its text."""
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ast.unparse(node)


def _libraries():
    """What services register beside their own: of Nova and Neutron alike."""
    log = cfg.ConfigOpts()
    importlib.import_module("oslo_log.log").register_options(log)
    yield None, [info["opt"] for info, _group in log._all_opt_infos()]
    yield from importlib.import_module("oslo_messaging.opts").list_opts()
    yield from importlib.import_module("oslo_middleware.opts").list_opts()
    options = importlib.import_module("oslo_service._options")
    yield None, [*options.service_opts, *options.eventlet_backdoor_opts]
    yield None, getattr(options, "wsgi_opts", [])


def _section(group):
    name = getattr(group, "name", group) or "DEFAULT"
    return name if name == "DEFAULT" else name.lower()


def _said(option, section):
    formerly = [
        [_section(one.group) if one.group else section, (one.name or option.dest).replace("-", "_")]
        for one in option.deprecated_opts
    ]
    default = option.default if option.sample_default is None else option.sample_default
    if not isinstance(default, (str, int, float, bool, list, type(None))):
        default = str(default)
    return [formerly, default]


PROJECTS = {"nova": _nova, "neutron": _neutron}

if __name__ == "__main__":
    main()
