"""Runs inside Nova's environment or ours, in a mount namespace: prints which files a program reads.

Standard input is a list of layouts, standard output a list of what became of them. For each layout
/etc and a home folder are made anew, and a child reads the configuration and nothing else.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE, HOME = Path(sys.argv[2]), Path(sys.argv[2]) / "home"
_MADE = ("nova", "neutron", "firstlight", "nova.conf", "nova.conf.d", "neutron.conf.d")


def main():
    program = PROGRAMS[sys.argv[1]]()  # imports once, for all children
    _own_etc()
    print(json.dumps([_in_a_child(program, layout) for layout in json.load(sys.stdin)]))


def _own_etc():
    """What is written to /etc from now on stays in this namespace."""
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", HERE], check=True)
    for name in ("upper", "work", "home"):
        (HERE / name).mkdir()
    layers = f"lowerdir=/etc,upperdir={HERE}/upper,workdir={HERE}/work"
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", layers, "/etc"], check=True)


def _in_a_child(program, layout):
    for path in [*(Path("/etc") / name for name in _MADE), *HOME.iterdir()]:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    for name, text in layout["files"].items():
        path = Path(name.replace("~", str(HOME)))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("$PATH", str(path)))
    ours, theirs = os.pipe()
    if os.fork() == 0:
        os.close(ours)
        with os.fdopen(theirs, "w") as out:
            json.dump(_read(program, layout), out)
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours) as into:
        read = json.load(into)
    os.wait()
    return read


def _read(program, layout):
    words = [word.replace("~", str(HOME)) for word in layout["argv"]]
    os.environ.update({"HOME": str(HOME), **layout["environ"]})
    os.chdir("/etc")
    try:
        return program(words, layout.get("wsgi", ""))
    except (Exception, SystemExit) as error:  # noqa: BLE001  (a refusal, in its own words)
        return f"refused: {type(error).__name__}: {error}"


def _nova():
    from nova import config
    from nova.api.openstack import wsgi_app

    def read(words, wsgi):
        sys.argv = words
        if wsgi == "now":
            files, name = wsgi_app._get_config_files(), "metadata"
            wsgi_app.init_global_data(files, name, "nova-api-metadata")
        elif wsgi == "before 33":  # as Nova 27 to 32 call it: the program is that of sys.argv
            config.parse_args(sys.argv, default_config_files=wsgi_app._get_config_files())
        else:  # as nova.cmd.api_metadata of Nova 27 to 31 begins; Nova 34 has no such command
            config.parse_args(sys.argv)
        return config.CONF.api.dhcp_domain

    return _noting(read)


def _neutron():
    from neutron.common import config
    from neutron.conf.agent.metadata import config as options
    from oslo_config import cfg

    config.register_common_config_options()
    options.register_meta_conf_opts(options.METADATA_PROXY_HANDLER_OPTS)

    def read(words, _wsgi):
        sys.argv = words
        config.init(sys.argv[1:])
        return cfg.CONF.auth_ca_cert

    return _noting(read)


def _noting(read):
    """With the files that oslo.config parses meanwhile."""
    from oslo_config import cfg

    parsed = []
    parse = cfg.ConfigParser._parse_file.__func__  # type: ignore[attr-defined]  # a classmethod

    def noted(cls, file, namespace):
        parse(cls, file, namespace)
        parsed.append(os.path.abspath(os.path.expanduser(file)))  # noqa: PTH100, PTH111  as oslo.config does

    cfg.ConfigParser._parse_file = classmethod(noted)
    return lambda words, wsgi: {"last": read(words, wsgi), "read": parsed}


def _firstlight():
    from firstlight import conf

    def read(words, wsgi):
        if wsgi:
            found = conf.load_under_wsgi(os.environ, words)
        else:
            found = conf.load_typed("metadata", _typed(words))
        return {"read": found.files_read, "last": found.api.dhcp_domain}

    return read


def _agent():
    from firstlight import conf

    def read(words, _wsgi):
        found = conf.load_typed("agent", _typed(words))
        return {"read": found.files_read, "last": found.auth_ca_cert}

    return read


def _typed(words):
    import argparse

    from firstlight.cli.arguments import add_config_arguments

    parser = argparse.ArgumentParser()
    add_config_arguments(parser)
    return parser.parse_args(words[1:]).config


PROGRAMS = {"nova": _nova, "neutron": _neutron, "firstlight": _firstlight, "agent": _agent}

if __name__ == "__main__":
    main()
