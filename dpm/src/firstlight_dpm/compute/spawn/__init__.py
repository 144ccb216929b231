"""How a server becomes a partition and ceases to be one: steps, each with its undo."""
