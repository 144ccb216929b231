# The names are those of the element mellanox-sriov.
export DIB_ENABLE_SRIOV_IN_FIRMWARE=${DIB_ENABLE_SRIOV_IN_FIRMWARE:-0}
export DIB_CREATE_SRIOV_INTERFACES=${DIB_CREATE_SRIOV_INTERFACES:-1}
export DIB_MLNX_SRIOV_VFS_NUM=${DIB_MLNX_SRIOV_VFS_NUM:-16}
# diskimage-builder's `bootloader` writes this to the kernel's line; virtual functions need an IOMMU.
export DIB_BOOTLOADER_DEFAULT_CMDLINE="${DIB_BOOTLOADER_DEFAULT_CMDLINE:-nofb nomodeset gfxpayload=text} intel_iommu=on iommu=pt"
