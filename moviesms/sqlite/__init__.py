"""Django's SQLite backend, with a lock that is waited for more fairly: see `base`."""
