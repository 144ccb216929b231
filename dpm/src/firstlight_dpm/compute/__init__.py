"""The Nova driver: ``driver`` has Nova's methods, and nothing else.

``spawning`` is the plan by which a server is made, ``ending`` how it goes. The other modules each
know one thing: ``machine`` the host's share of the CPC, ``partitions`` and ``states`` a partition's
life, ``storage`` and ``boot`` its volumes, ``config_drives`` one more, ``nics`` and ``plugging``
its ports.
"""
