"""The command ``python -m sandbox``."""

import argparse
import os
import sys
from collections.abc import Sequence

from sandbox.config import ENVIRONMENT, Config, ConfigError

HELP = {
    "host": "address to listen on; only this computer can reach the default",
    "port": "port to listen on",
    "app_url": "the product's PUBLIC_URL: texts and webhooks are posted there",
    "account_sid": "Twilio account SID that the product uses",
    "auth_token": "Twilio auth token: signs webhooks, and opens the API",
    "phone_number": "the product's phone number, in E.164 form",
    "radarr_api_key": "the key that Radarr's API asks for",
    "radarr_webhook_secret": "sent as X-Webhook-Secret with Radarr's webhooks",
    "tmdb_api_key": "the key that TMDB's API asks for",
    "openai_api_key": "the key that OpenAI's API asks for",
    "step": "seconds that each phase of a download lasts (the downloading itself: four of them)",
}


def parser() -> argparse.ArgumentParser:
    """The command line: one option for each setting, whose default is its variable."""
    command = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="Stand-ins for Radarr, TMDB, OpenAI and Twilio, and a phone to text from. "
        "Nothing leaves this computer.",
        epilog="In brackets: the environment variable that gives the same, and the default.",
    )
    for name, text in HELP.items():
        variable, default = ENVIRONMENT[name], getattr(Config, name)
        command.add_argument(
            f"--{name.replace('_', '-')}",
            default=os.environ.get(variable) or str(default),
            metavar=name.rpartition("_")[2].upper(),
            # Never the value from the environment: it may be a real secret.
            help=f"{text} [{variable}, {default}]",
        )
    command.add_argument(
        "--print-env",
        action="store_true",
        help="print the variables that point the product here, and end",
    )
    return command


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; answers the exit code, 2 for settings that cannot work."""
    options = parser().parse_args(arguments)
    try:
        config = Config.from_environment(
            {ENVIRONMENT[name]: str(getattr(options, name)) for name in HELP}
        )
    except ConfigError as error:
        sys.stderr.write(f"sandbox: {error}\n")
        return 2
    if options.print_env:
        lines = (f"{name}={value}\n" for name, value in config.product_environment().items())
        sys.stdout.writelines(lines)
        return 0
    serve(config)
    return 0


def serve(config: Config) -> None:
    """Run the web server: one worker, since the world lives in its memory."""
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    # The worker is a fresh process and reads its settings from there.
    os.environ.update(config.environment())
    sys.stdout.write(f"sandbox: the phone is at http://{config.host}:{config.port}/\n")
    sys.stdout.flush()
    Server(
        "sandbox.wsgi:application",
        address=config.host,
        port=config.port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=16,
        workers_kill_timeout=3,
        log_level=LogLevels.error,
        process_name="moviesms sandbox",
    ).serve()


if __name__ == "__main__":
    sys.exit(main())
