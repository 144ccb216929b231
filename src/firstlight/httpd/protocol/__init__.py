"""HTTP/1.1 without I/O: requests parsed, responses written, bad requests refused."""
