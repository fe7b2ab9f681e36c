"""How dates and times read on the pages, by language."""
