"""System checks of the downloads."""
