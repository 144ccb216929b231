"""What commands do that need an extra; each module is imported when its command runs.

The command's module of the same name, one folder up, declares its arguments, so that its ``--help``
is there in every environment.
"""
