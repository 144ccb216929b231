"""OpenStack on IBM Z in DPM mode.

``compute`` is the Nova driver, ``network`` Neutron's driver and agent, ``mock`` an HMC to test
against; the rest is what they share.
"""
