"""SR-IOV on Mellanox adapters: the virtual functions that the vendor data of `mlnx_sriov` wants.

`wanted` reads the data, `ports` the machine, `plan` compares, `change` does it and can go back,
`report` tells.
"""
