"""The store's schema, step by step; run by :mod:`firstlight.sources.store.sql.schema`."""
