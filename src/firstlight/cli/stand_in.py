"""The commands of the services that ``firstlight vendordata`` stands in for."""

import argparse
import sys
from collections.abc import Sequence

from firstlight.cli import vendordata
from firstlight.cli.extras import Missing, extra_of
from firstlight.conf.shape import Shape


def pcss(argv: Sequence[str] | None = None) -> int:
    """``pcss-vendor-metadata-svc``."""
    return _main("pcss-vendor-metadata-svc", Shape.PCSS, argv)


def pollinate(argv: Sequence[str] | None = None) -> int:
    """``pollinate``."""
    return _main("pollinate", Shape.POLLINATE, argv)


def _main(name: str, shape: Shape, argv: Sequence[str] | None) -> int:
    parser = argparse.ArgumentParser(
        prog=name, description=f"firstlight vendordata, under the name and with the files of {name}"
    )
    vendordata.configure(parser)
    args = parser.parse_args(sys.argv[1:] if argv is None else argv)
    try:
        with extra_of("vendordata", name):
            return vendordata.run(args, stand_in_for=shape)
    except Missing as error:
        print(error, file=sys.stderr)
        return 2
