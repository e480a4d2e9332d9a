"""Send to one board through a broker and hear its answers, and what it says of itself."""

import contextlib
import json
import queue
import threading

from host_tools.errors import ToolError
from host_tools.listen.link import make_client, parse

_CONNECT_S = 15
_SEND_S = 15


class Dialogue:
    """A short connection; what the board answers waits in `came`, in `states` (answers that came before, its state)."""

    def __init__(self, url, client_id, password, ca_file, board):
        self._host, self._port, self._client = make_client(parse(url), client_id, 3, password, ca_file, clean=True)
        self._topic = f"evenkeel/{board[0]}/{board[1]}/"
        self.came, self.states = queue.Queue(), queue.Queue()
        self._answers = 0
        self._heard, self._refusal = threading.Event(), None
        self._client.on_connect, self._client.on_subscribe = self._connected, lambda *_: self._heard.set()
        self._client.on_message = self._take

    def __enter__(self):
        try:
            self._client.connect(self._host, self._port, keepalive=30)
        except OSError as error:
            raise ToolError(f"no broker there: {error}", "Check --broker, and that it runs.") from error
        self._client.loop_start()
        if not self._heard.wait(_CONNECT_S) or self._refusal:
            raise ToolError(f"the broker refuses: {self._refusal or 'no answer'}", "Check user, password, access list.")
        return self

    def __exit__(self, *_):
        self._client.disconnect()
        self._client.loop_stop()

    def send(self, data):
        """Send one message; ToolError where the broker does not take it."""
        sent = self._client.publish(self._topic + "command", data, qos=1)
        try:
            sent.wait_for_publish(_SEND_S)
        except RuntimeError as error:
            raise ToolError(f"the broker has gone: {error}", "Send it again.") from error

    def _connected(self, client, _userdata, _flags, reason, _properties):
        if reason.is_failure:
            self._refusal = str(reason)
            self._heard.set()
        else:
            client.subscribe([(self._topic + "answer", 1), (self._topic + "status", 1)])

    def _take(self, _client, _data, message):
        if message.topic.endswith("/answer"):
            self._answers += 1
            self.came.put(bytes(message.payload))
            return
        with contextlib.suppress(ValueError):  # what is no JSON tells nothing
            self.states.put((self._answers, json.loads(message.payload)))
