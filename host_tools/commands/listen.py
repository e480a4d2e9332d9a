"""Receive records from a broker, verify them, store them durably, acknowledge them to the boards."""

import contextlib
import signal
import sys
import uuid

from host_tools.errors import OK, ToolError, read_password
from host_tools.evidence import keys
from host_tools.listen.link import Link
from host_tools.listen.listener import Listener
from host_tools.listen.store import Store
from host_tools.operators import key as operator_key

HELP = """Receive the records of any number of boards from an MQTT broker: verify each on arrival, store it once with
its raw bytes, set aside what does not verify with the reason, and acknowledge to the board after the commit.
Start it again whenever it ended: nothing is lost, nothing stored twice. Several share the load by --group."""
EXAMPLE = ("python3 -m host_tools listen --broker mqtt://127.0.0.1 --store sqlite:///build/store.db "
           "--keys keys.json --operator-key operator.pem")


def add_arguments(parser):
    """Declare what the command takes."""
    parser.add_argument("--broker", metavar="URL", help="mqtt://[user@]host[:port], or mqtts:// for TLS")
    parser.add_argument("--embedded-broker", metavar="HOST:PORT",
                        help="start a small broker here instead, for trying it out: 127.0.0.1:1883")
    parser.add_argument("--store", required=True, metavar="URL",
                        help="sqlite:///FILE, or postgresql+psycopg://user@host/name")
    parser.add_argument("--keys", required=True, metavar="FILE", help="public keys of the boards: keys.json")
    parser.add_argument("--operator-key", metavar="FILE",
                        help="signs the acknowledgements; without it boards are told nothing and keep everything")
    parser.add_argument("--group", metavar="NAME", help="share the records with the other listeners of this name")
    parser.add_argument("--client-id", metavar="ID",
                        help="keep it from start to start: the broker holds what comes in between")
    parser.add_argument("--password-file", metavar="FILE", help="the broker's password, alone in a file")
    parser.add_argument("--ca-file", metavar="FILE", help="certificates to believe for mqtts://")


def run(args):
    """Listen until interrupted or terminated; the exit code."""
    if bool(args.broker) == bool(args.embedded_broker):
        raise ToolError("give either --broker or --embedded-broker", "To try it: --embedded-broker 127.0.0.1:1883")
    if args.embedded_broker and args.group:
        raise ToolError("the embedded broker cannot share", "Leave --group away, or use mosquitto.")
    registry = keys.load(args.keys)
    signer = operator_key.load(args.operator_key) if args.operator_key else None
    store = Store(args.store)
    with contextlib.ExitStack() as stack:
        stack.callback(store.close)
        url, version = args.broker, 5
        if args.embedded_broker:
            url, version = _embedded(args.embedded_broker, stack), 3
        client_id = args.client_id or f"listen-{uuid.uuid4().hex[:8]}"
        link = Link(url, client_id, args.group, read_password(args.password_file), args.ca_file, version, _say)
        listener = Listener(link, store, registry, signer, _say)
        _stop_on_signals(listener)
        link.start()
        stack.callback(link.stop)
        _say("listening; Ctrl-C ends it")
        listener.run()
    _say(listener.counts.line())
    return OK


def _embedded(address, stack):
    from host_tools.listen.embedded import EmbeddedBroker

    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ToolError(f"{address} is no HOST:PORT", "For example 127.0.0.1:1883.")
    broker = EmbeddedBroker(host, int(port))
    broker.start()
    stack.callback(broker.stop)
    return f"mqtt://{address}"


def _stop_on_signals(listener):
    def stop(*_):
        listener.stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


def _say(text):
    print(text, file=sys.stderr, flush=True)
