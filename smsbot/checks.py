"""System checks of the bot."""
