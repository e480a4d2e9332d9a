"""A small broker inside this process, for the demonstration and for trying things out: no disk, no access list."""

import asyncio
import logging
import threading

from amqtt.broker import Broker
from amqtt.errors import BrokerError

from host_tools.errors import ToolError

_START_S = 10


class EmbeddedBroker:
    """Runs amqtt in a thread of its own; MQTT 3.1.1, so listeners cannot share their records."""

    def __init__(self, host, port):
        self._bind = f"{host}:{port}"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._broker = None

    def start(self):
        """Listen on the address; ToolError where it is taken."""
        logging.getLogger("amqtt").setLevel(logging.ERROR)
        logging.getLogger("transitions").setLevel(logging.ERROR)
        self._thread.start()
        try:
            self._wait(self._open())
        except (BrokerError, OSError) as error:
            raise ToolError(f"no broker on {self._bind}: {error}", "Choose a free port.") from error

    def stop(self):
        """Close every connection and end the thread."""
        self._wait(self._broker.shutdown())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_START_S)

    async def _open(self):
        config = {
            "listeners": {"default": {"type": "tcp", "bind": self._bind}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
        self._broker = Broker(config)
        await self._broker.start()

    def _wait(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_START_S)
