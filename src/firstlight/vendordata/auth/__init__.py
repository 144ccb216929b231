"""Who may ask the vendordata service, who may read secrets, and the log of secrets given out."""
