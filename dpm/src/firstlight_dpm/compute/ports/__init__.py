"""A server's ports as NICs of its partition."""
