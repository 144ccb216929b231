"""A service as processes: a master that stays, and generations of processes that serve.

The master imports nothing but the standard library, and of that little: it is in memory beside
every service. So nothing may be imported here.
"""
