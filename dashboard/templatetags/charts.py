"""A chart's data as an attribute: no script stands in a page."""

import json
from typing import Any

from django import template

register = template.Library()


@register.filter
def as_json(value: Any) -> str:
    """Return `value` as JSON; the template escapes it like any other text."""
    return json.dumps(value)


@register.filter
def words(text: str) -> list[str]:
    """Return the parts of `a|b|c`: a table's headings."""
    return text.split("|")
