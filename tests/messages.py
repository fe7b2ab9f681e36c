"""The texts to translate: gathered from the templates and the code, merged, and compiled.

`script/messages` runs it: every `locale/<code>/LC_MESSAGES/django.po` gets what is new and loses
what is gone, and is compiled beside itself. `script/messages fr` begins a language.
"""

import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract, extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
APP = ROOT / "smsbot"
LOCALE = APP / "locale"
KEYWORDS = {**DEFAULT_KEYWORDS, "gettext_noop": None}

Extractor = Callable[..., Iterator[Any]]


def template(file: IO[bytes], keywords: Any, comment_tags: Any, options: Any) -> Iterator[Any]:
    """Extract the messages of a Django template, read as makemessages reads it."""
    code = templatize(file.read().decode())
    yield from extract_python(BytesIO(code.encode()), keywords, comment_tags, options)


def gathered() -> Catalog:
    """Return all texts of the bot that are to be translated, in the order of their files."""
    catalog = Catalog(charset="utf-8")
    files: list[tuple[Path, Extractor]] = [(path, template) for path in APP.rglob("sms/*.txt")]
    files += [(path, extract_python) for path in APP.glob("*.py")]
    for path, method in sorted(files, key=lambda each: each[0]):
        with path.open("rb") as file:
            found = list(extract(method, file, KEYWORDS, ("Translators:",)))
        for _, message, comments, context in found:
            where = [(str(path.relative_to(ROOT)), 0)]
            catalog.add(message, None, where, auto_comments=comments, context=context)
    return catalog


def languages() -> list[str]:
    """Return the codes of the languages there is a file for."""
    return sorted(path.parent.parent.name for path in LOCALE.glob("*/LC_MESSAGES/django.po"))


def read(language: str) -> Catalog:
    """Return what a language's file holds."""
    with path_of(language).open("rb") as file:
        return read_po(file, locale=language)


def path_of(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def compiled(catalog: Catalog) -> bytes:
    """Return a catalogue as programs read it."""
    file = BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def refresh(language: str) -> None:
    """Bring a language's file up to date, and compile it; make it if there is none."""
    path = path_of(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = gathered()
    catalog = read(language) if path.exists() else Catalog(locale=language, charset="utf-8")
    catalog.project, catalog.version, catalog.fuzzy = "moviesms", "", False
    catalog.msgid_bugs_address = catalog.last_translator = catalog.language_team = ""
    catalog.update(texts, no_fuzzy_matching=True, update_creation_date=False)
    with path.open("wb") as file:
        write_po(file, catalog, width=100, omit_header=False, ignore_obsolete=True)
    catalog = read(language)
    path.with_suffix(".mo").write_bytes(compiled(catalog))
    left = [message for message in catalog if message.id and not message.string]
    print(f"{language}: {len(catalog)} texts, {len(left)} to translate.")  # noqa: T201


if __name__ == "__main__":
    for code in sys.argv[1:] or languages():
        refresh(code)
