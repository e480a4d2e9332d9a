"""Make the uplink of one board out of what the wiring hands in. Imported only where site.json has an uplink."""

from firmware.core.errors import UplinkError
from firmware.uplink.challenge import Challenge
from firmware.uplink.command import Operators, Orders, read_operators
from firmware.uplink.kinds import Ack, Time, Witness
from firmware.uplink.mqtt import Session
from firmware.uplink.outbox import Outbox, measure_line
from firmware.uplink.sender import Sender
from firmware.uplink.settings import load
from firmware.uplink.state import State
from firmware.uplink.wishes import Again, Ahead, Cap, Configuration, Mode, Seal, SetPoint

_RECEIVE_BYTES = 1024  # the longest packet that is taken: topic, and a command of some 900 bytes


def make(config, files, platform, utc, log, event_log, status, note, frames, verifying):
    """Return (Sender, its endless generator); UplinkError where it cannot be had.

    `log` is a log.outlet.Outlet, `frames` the module log.frames, `verifying` the module log.ecdsa_verify.
    """
    site = config["site"]
    settings = load(config["uplink"], files.read)
    network = platform.network()
    if network is None:
        raise UplinkError("NO_NETWORK", "this board, or this way of running it, has no network; take out uplink.host")
    view = memoryview(network.buffer(settings.batch_bytes))  # one buffer: messages are made one after the other
    records = Outbox(files, "journal", ".cbor", frames.length, view, frames.FOLDER_RECORDS)
    events = Outbox(files, "events", ".jsonl", measure_line, view)
    state = State(files)
    challenge = Challenge(log.unforeseen, platform.ms)
    line, name = platform.post_command, "%s/%s" % (site["id"], site["device"])
    kinds = {1: Ack(log, records, frames.digest), 2: SetPoint(line), 3: Mode(line), 4: Cap(line),
             5: Ahead(platform.post_ahead), 6: Configuration(files), 9: Witness(files, name),
             10: Time(platform.post_utc, utc, challenge, platform.ms)}
    buffers = [network.buffer(count) for count in verifying.BUFFERS]
    operators = Operators(read_operators(files.read("operators.json")), verifying.Verifier, buffers)
    orders = Orders(site["id"], site["device"], utc, operators, state, kinds, note, log.seal)
    session = Session(network, platform.ms, ("evenkeel-" + name.replace("/", "-")).encode(), _RECEIVE_BYTES)
    session.keepalive = settings.keepalive_s
    if settings.user:
        session.user, session.pswd = settings.user.encode(), settings.password.encode()
    sender = Sender(session, settings, "evenkeel/%s/" % name, log, records, events, event_log, orders, state, status,
                    challenge, note)
    kinds[7], kinds[8] = Again(log, records.rewind), Seal(sender.unseal)
    return sender, sender.work(_tls_opener(settings, files, platform))


def _tls_opener(settings, files, platform):
    """Return what gives the Tls of the next connection: read anew each time, so that certificates can be changed."""
    def open_tls():
        if not settings.tls:
            return None
        data = []
        for path in settings.files:
            data.append(path and (files.read(path), path))
            if path and data[-1][0] is None:
                raise UplinkError("SECRETS", "%s: not found in the board's folder; put it there" % path)
        return platform.tls(settings.host, *data)

    return open_tls
