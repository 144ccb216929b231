"""Run by the lab's Python: what real Nova reads of configuration files, for as long as it is asked.

The first line of input is a list of ``[section, option]``; each following one a list of files. Each
line of output says for them either ``error``, the class of it, or ``values``: by ``section.option``
what Nova reads, or the class of what it raises.
"""

import json
import sys

import nova.conf
from oslo_config import cfg
from oslo_log import log


def main() -> None:
    """Answer one line with one line."""
    conf = nova.conf.CONF
    log.register_options(conf)
    wanted = json.loads(sys.stdin.readline())
    for line in sys.stdin:
        print(json.dumps(read(conf, json.loads(line), wanted)), flush=True)


def read(conf, files, wanted):
    """Everything anew, as at a start."""
    conf.reset()
    try:
        conf(
            [f"--config-file={file}" for file in files],
            project="nova",
            default_config_files=[],
            default_config_dirs=[],
        )
    except (cfg.Error, SystemExit) as error:  # it ends where debug has no value
        return {"error": type(error).__name__}
    return {"values": {f"{group}.{name}": value(conf, group, name) for group, name in wanted}}


def value(conf, group, name):
    """One option's, in a form that can be compared."""
    try:
        found = (conf if group == "DEFAULT" else conf[group])[name]
    except (cfg.NoSuchOptError, cfg.NoSuchGroupError, KeyError):
        return "no such option"
    except (cfg.Error, ValueError) as error:
        return {"error": type(error).__name__}
    return found if found is None or isinstance(found, bool | int | float) else str(found)


main()
