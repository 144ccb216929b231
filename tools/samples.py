"""Write the sample configuration files from the options themselves (oslo-config-generator)."""

import sys
from pathlib import Path

from oslo_config import cfg, generator

ROOT = Path(__file__).resolve().parent.parent
SERVICES = ("metadata", "vendordata", "agent", "broker", "proxy")
DPM = ("nova_dpm", "networking_dpm")  # of the distribution firstlight-dpm


def write(name: str, directory: Path) -> Path:
    """Write the sample of the service `name` into `directory`; returns its path."""
    target = directory / f"{name}.conf.sample"
    conf = cfg.ConfigOpts()
    generator.register_cli_opts(conf)
    recipe = ROOT / "etc" / "oslo-config-generator" / f"{name}.conf"
    conf(["--config-file", str(recipe)], version="1")
    with target.open("w") as output:
        generator.generate(conf, output_file=output)
    return target


if __name__ == "__main__":
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    for name in SERVICES:
        print(write(name, directory or ROOT / "etc" / "firstlight"))
    for name in DPM:
        print(write(name, directory or ROOT / "dpm" / "etc"))
