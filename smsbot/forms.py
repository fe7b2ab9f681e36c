"""The form of a contact in the admin: their name, and how they like to be written to."""

from typing import TYPE_CHECKING, ClassVar

from django import forms
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget

from smsbot.language import languages, name_of
from smsbot.models import Contact
from smsbot.preferences import MUTABLE

if TYPE_CHECKING:  # a generic class to the type checker alone
    ModelForm = forms.ModelForm[Contact]
else:
    ModelForm = forms.ModelForm

_NEWS = {
    "started": "The download has begun",
    "waiting": "The film is not out yet",
    "moved": "Its release was put off",
    "released": "It is out, and looked for",
    "nothing_found": "Nothing has been found so far",
    "stuck": "It takes longer than usual",
}


def _languages() -> list[tuple[str, str]]:
    return [("", "As they write, or as SMS_LANGUAGE says"), *((c, name_of(c)) for c in languages())]


class ContactForm(ModelForm):
    """What of a contact is edited by hand; a person changes the same by text ("settings")."""

    language = forms.ChoiceField(choices=_languages, required=False, widget=UnfoldAdminSelectWidget)
    style = forms.ChoiceField(
        choices=[("", "As SMS_STYLE says"), *Contact.Style.choices],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    muted = forms.MultipleChoiceField(
        label="does not want to hear",
        choices=[(kind, _NEWS[kind]) for kind in MUTABLE],
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="That a film is ready, failed or was cancelled is always told.",
    )

    class Meta:
        model = Contact
        fields: ClassVar = [
            "name", "language", "style", "muted", "needs_approval", "request_limit",
        ]  # fmt: skip
