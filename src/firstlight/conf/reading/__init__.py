"""Which files a service reads, and what stands in them that has no effect."""
