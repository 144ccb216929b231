"""A partition on IBM Z in DPM mode: its network cards, their MACs, its host bus adapters.

Machines before z14 tell Linux neither which cards to use nor their MACs; Nova's driver says it on
the kernel's command line (`grammar`), and all that does not fit there in `dpm_nics` (`nics`).
"""
