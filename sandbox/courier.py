"""The threads that carry the outbox's posts to the product, and end with their parent."""

import logging
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import requests

from sandbox.outbox import Post
from sandbox.state import Sandbox

logger = logging.getLogger(__name__)

TICK = 0.1
# What Twilio allows a webhook.
TIMEOUT = 15


def deliver(post: Post) -> bool:
    """Make the request, again after a failed connection if `post` allows; whether it was taken."""
    for _ in range(post.attempts):
        try:
            response = requests.post(
                post.url,
                data=post.form,
                json=post.json,
                headers=dict(post.headers),
                timeout=TIMEOUT,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            logger.debug("No answer from %s: %s", post.url, type(error).__name__)
            continue
        return response.status_code < 400
    return False


class Courier:
    """Looks for due posts ten times a second; slow answers keep none of the others waiting."""

    def __init__(self, box: Sandbox) -> None:
        self.box = box
        self._pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="courier")
        self._parent = os.getppid()

    def start(self) -> None:
        """Begin, in a thread that does not keep the process alive."""
        threading.Thread(target=self._run, name="courier", daemon=True).start()

    def pump(self) -> None:
        """Let what is due happen, and hand the due posts to the pool."""
        with self.box.lock:
            due = self.box.outbox.take_due(self.box.advance())
        for post in due:
            self._pool.submit(self._carry, post)

    def _carry(self, post: Post) -> None:
        delivered = deliver(post)
        with self.box.lock:
            self.box.outbox.count(delivered)
        post.done(delivered)

    def _run(self) -> None:
        while True:
            # A worker whose main process was killed would hold the port for ever.
            if os.getppid() != self._parent:
                os._exit(0)
            self.pump()
            time.sleep(TICK)
