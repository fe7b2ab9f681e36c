"""Times as people say them, in the household's time zone: "since 3 pm", "about an hour left"."""

from datetime import date, datetime, timedelta

from django.utils import formats, timezone
from django.utils.translation import gettext, ngettext, pgettext


def since(moment: datetime, now: datetime) -> str:
    """Return "since 3 pm", "since yesterday", "since Tuesday" or "since 2 March"."""
    then, today = timezone.localtime(moment), timezone.localtime(now).date()
    days = (today - then.date()).days
    if days < 1:
        return gettext("since %(time)s") % {"time": time_of_day(then)}
    if days == 1:
        return gettext("since yesterday")
    if days < 7:
        return gettext("since %(weekday)s") % {"weekday": formats.date_format(then, "l")}
    return gettext("since %(date)s") % {"date": day(then.date(), now)}


def time_of_day(moment: datetime) -> str:
    """Return "3 pm", "3:20 pm", "noon"."""
    form = pgettext("how a time of day is written, as Django's date filter has it", "P")
    return formats.time_format(timezone.localtime(moment).time(), form).replace(".", "")


def day(date: date, now: datetime) -> str:
    """Return "12 December", with the year where it is another one."""
    is_near = abs((date - timezone.localtime(now).date()).days) < 180
    if is_near or date.year == timezone.localtime(now).year:
        form = pgettext("how a day is written, as Django's date filter has it", "j F")
    else:
        form = pgettext("how a day with its year is written", "j F Y")
    return formats.date_format(date, form)


def left(span: timedelta) -> str:
    """Return "about 20 minutes left"."""
    minutes = round(span.total_seconds() / 60)
    if minutes < 90:
        count = max(1, minutes if minutes < 10 else 5 * round(minutes / 5))
        words = ngettext("about %(n)d minute left", "about %(n)d minutes left", count)
        return words % {"n": count}
    hours = round(minutes / 60)
    if hours < 36:
        words = ngettext("about %(n)d hour left", "about %(n)d hours left", hours)
        return words % {"n": hours}
    days = round(hours / 24)
    return ngettext("about %(n)d day left", "about %(n)d days left", days) % {"n": days}
