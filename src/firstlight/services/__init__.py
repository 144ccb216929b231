"""What each command does: one module a command, put together from its configuration.

The module of the same name in :mod:`firstlight.cli` declares the arguments, and imports the one
here when the command runs, so that ``--help`` is there in every environment.
"""
