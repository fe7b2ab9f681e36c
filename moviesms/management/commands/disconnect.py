"""`manage.py disconnect radarr|twilio`: undo what `manage.py connect` did."""

from downloads import services
from moviesms.management.commands import connect
from smsbot import connecting


class Command(connect.Command):
    help = (
        "Has Radarr or Twilio no longer post to this moviesms. What leads elsewhere is left alone. "
        "Texts and downloads are still seen, later: at Twilio's list and at each tick."
    )
    work = {"radarr": services.disconnect_radarr, "twilio": connecting.disconnect_twilio}
