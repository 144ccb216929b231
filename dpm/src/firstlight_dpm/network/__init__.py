"""Neutron's side: the ML2 mechanism driver ``dpm``, and the L2 agent ``neutron-dpm-agent``."""
