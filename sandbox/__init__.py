"""Stand-ins for Radarr, TMDB, OpenAI and Twilio, and a phone page to try the product with.

The package shares no code with the product: all they have in common is HTTP. Start it with
``python -m sandbox``; it keeps everything in the memory of one process.
"""
