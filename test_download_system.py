#!/usr/bin/env python
"""Check every service moviesms needs: the same as `manage.py test_download_system`."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "moviesms.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line([sys.argv[0], "test_download_system", *sys.argv[1:]])
