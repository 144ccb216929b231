"""One module for each sub-command: `add(parser)` and `run(args) -> exit code`."""
