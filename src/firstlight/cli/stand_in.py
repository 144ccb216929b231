"""The commands of the services that ``firstlight vendordata`` stands in for."""

import os
import sys
from collections.abc import Sequence

from firstlight.cli import asks_for_help
from firstlight.httpd.process.channel import is_master


def pcss(argv: Sequence[str] | None = None) -> int:
    """``pcss-vendor-metadata-svc``."""
    return _main("pcss-vendor-metadata-svc", "pcss", argv)


def pollinate(argv: Sequence[str] | None = None) -> int:
    """``pollinate``."""
    return _main("pollinate", "pollinate", argv)


def _main(name: str, shape: str, argv: Sequence[str] | None) -> int:
    arguments = sys.argv[1:] if argv is None else list(argv)
    if argv is None and is_master(os.environ) and not asks_for_help(arguments):
        from firstlight.httpd.process import master

        return master.run(os.environ)
    return _run(name, shape, arguments)


def _run(name: str, shape: str, arguments: Sequence[str]) -> int:
    import argparse

    from firstlight.cli import vendordata
    from firstlight.cli.extras import Missing, extra_of
    from firstlight.conf.compat_mode import CompatMode

    parser = argparse.ArgumentParser(
        prog=name, description=f"firstlight vendordata, under the name and with the files of {name}"
    )
    vendordata.configure(parser)
    args = parser.parse_args(arguments)
    try:
        with extra_of("vendordata", name):
            return vendordata.run(args, stand_in_for=CompatMode(shape))
    except Missing as error:
        print(error, file=sys.stderr)
        return 2
