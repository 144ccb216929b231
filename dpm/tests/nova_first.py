"""Nova, imported before anything else of it, which is how its tests decide how it threads.

Each conftest of tests for the Nova driver imports this. Nova and Neutron cannot be in one process,
so these tests have a pytest of their own. What Nova warns of while it is imported is not ours.
"""

import os
import warnings

os.environ.setdefault("OS_NOVA_DISABLE_EVENTLET_PATCHING", "1")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import nova.tests.functional.integrated_helpers
    import nova.virt.dpm.driver  # noqa: F401  loaded first
