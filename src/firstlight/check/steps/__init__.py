"""The steps of ``firstlight check``: one module for each thing that is tried."""
