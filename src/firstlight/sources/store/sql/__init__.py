"""The store's database: engines, tables, schema."""
