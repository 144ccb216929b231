"""The proxy: listens in the tenants' network namespaces and limits what a guest may ask."""
