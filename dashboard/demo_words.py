"""What a made-up household is called and what it writes."""

# Numbers that no telephone company gives out.
PEOPLE = {
    "+12025550103": "Maya",
    "+12025550108": "Grandpa Joe",
    "+12025550112": "Ben",
    "+12025550126": "Lena",
    "+12025550131": "Noah",
    "+12025550157": "Aunt Clara",
    "+12025550164": "Theo",
    "+12025550188": "",
}
EAGERNESS = [9, 4, 7, 6, 3, 2, 5, 1]
STRANGERS = {
    "+12025550170": "hi, is this the movie thing? can i get Gladiator",
    "+12025550193": "Paddington please",
}
REASONS = [
    "The download is missing articles and cannot be repaired",
    "Unpacking failed, archive is password protected",
    "Download client reports: disk full",
    "The file is corrupt (CRC error)",
    "No files found are eligible for import",
]
ASKS = [
    "Can you get {0} for me?",
    "{0} please",
    "could we have {0} for tonight?",
    "hey can u get {0}",
    "Please add {0} ({1})",
    "get {0}",
    "We'd love to watch {0} at the weekend",
]
TALK = [
    ("status?", "status"),
    ("thank you!!", "chat"),
    ("commands", "help"),
    ("where's my movie", "status"),
]
