"""Nova comes first."""

import nova_first  # noqa: F401  loaded first
