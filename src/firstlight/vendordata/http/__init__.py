"""The HTTP of the vendordata service: its paths, request bodies and responses."""
