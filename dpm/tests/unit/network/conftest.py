"""Neutron's own warnings, as it is imported, are not ours; it is imported here, once."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import neutron.plugins.ml2.drivers.agent._common_agent
    import neutron.tests.unit.plugins.ml2._test_mech_agent  # noqa: F401  loaded first
