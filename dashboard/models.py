"""What the owner's pages keep for themselves: which rows the demonstration made."""

from typing import ClassVar

from django.db import models


class DemoYear(models.Model):
    """The rows of one run of `manage.py demo_data`, so that it can undo exactly those."""

    made_at = models.DateTimeField(auto_now_add=True)
    rows = models.JSONField()  # {"app.model": [ids]}

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"demonstration of {self.made_at:%Y-%m-%d}"
