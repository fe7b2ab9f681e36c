"""System checks of the whole."""
