#!/usr/bin/env python3
"""Check every service moviesms needs: the same as `manage.py test_download_system`."""

import sys

from manage import main

if __name__ == "__main__":
    main([sys.argv[0], "test_download_system", *sys.argv[1:]])
