"""What runs inside the guest: one zipapp, Python's standard library only, Python 3.6 and later.

::

    errors     what can go wrong, and the exit code of each
    tree       files below a root, wherever links lead
    machine    the files and programs of this machine, below any root
    deadline   how long there is patience
    reaching   the ways to 169.254.169.254
    service    the metadata service, asked patiently
    dmi        which server this machine is, as its hypervisor says
    drive      the config drive, read once
    sources    the drive first, then the service
    sriov/     the virtual functions that vendor data wants
    dpm/       network cards and host bus adapters of a partition on IBM Z
    commands/  one module for each sub-command
    files/     units, rules and shell tools, which `firstlight-guest install` writes

Nothing here knows anything of the `firstlight` package.
"""

__version__ = "0.1.0"
