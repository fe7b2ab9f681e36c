"""Conditions in SQL, where Django's making of a query costs several times what the query does."""

from datetime import datetime

from django.db import connection
from django.db.models import BooleanField
from django.db.models.expressions import RawSQL


def condition(sql: str, *moments: datetime) -> RawSQL:
    """Return `sql` as a condition for `filter`; `moments` are what its %s stand for, in order.

    Columns are named with their tables, since a filter may join others. Never with words of anybody
    in it: `sql` is a constant.
    """
    adapted = [connection.ops.adapt_datetimefield_value(moment) for moment in moments]
    return RawSQL(sql, adapted, output_field=BooleanField())  # noqa: S611
