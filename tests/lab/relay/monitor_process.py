"""Run by the lab's Python: Neutron's own process monitor starts, finds and ends a haproxy.

Arguments: the program, a directory. Prints what it found, in JSON.
"""

import json
import sys
import time
from pathlib import Path
from uuid import uuid4

from neutron.agent.linux import external_process
from neutron.conf.agent import common
from oslo_config import cfg

program, directory = sys.argv[1], Path(sys.argv[2])
conf = cfg.ConfigOpts()
common.register_external_process_opts(conf)
common.register_root_helper(conf)
conf(["--config-dir", str(directory)], project="neutron")
conf.set_override("external_pids", str(directory))
network = str(uuid4())


def command(pid_file):
    file = directory / f"{network}.conf"
    file.write_text(f"global\n    user        root\n    pidfile     {pid_file}\n    daemon\n")
    return [program, "-f", str(file)]


def ended(pid):
    """Whether there is no such process, or one that only waits to be counted."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


process = external_process.ProcessManager(
    conf, network, default_cmd_callback=command, service="haproxy", run_as_root=False
)
process.enable()
until = time.monotonic() + 30
while not process.active and time.monotonic() < until:
    time.sleep(0.05)
active, pid = process.active, process.pid
process.disable()
while not ended(pid) and time.monotonic() < until:
    time.sleep(0.05)
print(json.dumps({"active": active, "ended": ended(pid)}))
