"""A small HTTP/1.1 server: listeners that know what they stand for, limits, deadlines."""
