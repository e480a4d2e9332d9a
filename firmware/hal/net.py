"""Networks, all alike: `platform.network()` is one, or None. A network has buffer(count), which gives a
bytearray, outside the heap where the network has memory of its own, and open(host, port, tls), which returns a Link.

A Link never waits:
  ready()             True once the connection stands, False until then
  read(buf, off, n)   moves up to `n` bytes that have come to buf[off:]; returns how many, 0 while there are none
  write(buf, off, n)  takes up to `n` bytes of buf[off:]; returns how many, 0 while there is no room
  close()             ends it; what is not sent is lost
Each raises OSError once the connection is refused or gone. `tls` is None or a Tls. One Link at a time.
"""

from binascii import a2b_base64

from firmware.core.errors import HalError


class Tls:
    """What a TLS connection needs: who is believed, and who we are. DER; None: not given."""

    def __init__(self, name, ca, cert=None, key=None):
        self.name = name  # of the server, as its certificate must have it
        self.ca = ca
        self.cert = cert
        self.key = key


def tls(name, ca, cert=None, key=None):
    """Return a Tls; certificates and key are (content of a PEM file, its path)."""
    return Tls(name, *[None if file is None else der(*file) for file in (ca, cert, key)])


def der(pem, path):
    """Return the first block of a PEM file as DER; HalError names the file, never what is in it."""
    inside = None
    for line in pem.split(b"\n"):
        line = line.strip()
        if line.startswith(b"-----BEGIN"):
            inside = b""
        elif line.startswith(b"-----END") and inside:
            try:
                return a2b_base64(inside)
            except ValueError:
                break
        elif inside is not None:
            inside += line
    raise HalError("PEM", "%s: holds no certificate or key in PEM; export it anew" % path)
