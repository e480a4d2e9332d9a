"""The network of a machine with an operating system: its sockets, never waiting. MicroPython unix port and CPython."""

import select
import socket
import sys

from micropython import const

_EAGAIN = const(11)
_EPIPE = const(32)
_EPROTO = const(71)
_ECONNREFUSED = const(111)
_EINPROGRESS = const(115)
_BROKEN = const(0x18)  # POLLERR | POLLHUP


class Network:
    """The machine's network; names are looked up once, and again behind a failure."""

    def __init__(self):
        self._known = {}

    def buffer(self, count):
        """Return a buffer of `count` bytes."""
        return bytearray(count)

    def open(self, host, port, tls):
        """Begin to open a connection. Looking up a name may wait for the machine's resolver."""
        address = self._known.get((host, port))
        if address is None:
            address = self._known[(host, port)] = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0][-1]
        return Link(address, tls, lambda: self._known.pop((host, port), None))


class Link:
    """One connection; `failed()` is called where it could not be opened."""

    def __init__(self, address, tls, failed):
        self._failed = failed
        self._tls = tls
        self._open = False
        self._secure = tls is None
        self._socket = socket.socket()
        self._socket.setblocking(False)
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLOUT)
        try:
            self._socket.connect(address)
        except OSError as error:
            if error.errno not in (_EINPROGRESS, _EAGAIN):
                self._fail(error.errno)

    def ready(self):
        """Return whether the connection stands, TLS included where there is."""
        if not self._open:
            for _, event in self._poll.poll(0):
                if event & _BROKEN:
                    self._fail(_ECONNREFUSED)
                self._open = True
        if self._open and not self._secure:
            self._secure = self._shake_hands()
        return self._open and self._secure

    def read(self, buf, off, n):
        """Move what has come to `buf`."""
        data = _receive(self._socket, n)
        if data is None:
            return 0
        if not data:
            raise OSError(_EPIPE)
        buf[off : off + len(data)] = data
        return len(data)

    def write(self, buf, off, n):
        """Take what the machine has room for."""
        return _send(self._socket, memoryview(buf)[off : off + n])

    def close(self):
        """End the connection."""
        self._socket.close()

    def _fail(self, errno):
        self._failed()
        self._socket.close()
        raise OSError(errno)

    def _shake_hands(self):
        tls = self._tls
        if tls is not None:
            self._tls = None
            self._socket = _wrap(self._socket, tls)
        return _hands_shaken(self._socket)


def _receive_vm(sock, n):
    return sock.read(n)  # None while there is nothing


def _send_vm(sock, data):
    try:
        return sock.write(data) or 0
    except ValueError as error:  # of a certificate that is not believed
        raise OSError(_EPROTO, str(error).strip())


def _wrap_vm(sock, tls):
    import tls as module

    context = module.SSLContext(module.PROTOCOL_TLS_CLIENT)
    context.verify_mode = module.CERT_REQUIRED
    context.load_verify_locations(tls.ca)
    if tls.cert:
        context.load_cert_chain(tls.cert, tls.key)
    wrapped = context.wrap_socket(sock, server_hostname=tls.name, do_handshake_on_connect=False)
    wrapped.setblocking(False)
    return wrapped


def _shaken_vm(sock):
    return True  # the first write goes on with the handshake, and takes nothing before it has ended


def _receive_host(sock, n):
    try:
        return sock.recv(n)
    except OSError as error:
        return _waiting(error)


def _send_host(sock, data):
    try:
        return sock.send(data)
    except OSError as error:
        _waiting(error)
        return 0


def _waiting(error):
    """Return None for an error that only says that there is nothing yet; raise any other."""
    import ssl

    if error.errno == _EAGAIN or isinstance(error, (ssl.SSLWantReadError, ssl.SSLWantWriteError)):
        return None
    raise error


def _wrap_host(sock, tls):
    import ssl

    context = ssl.create_default_context(cadata=tls.ca)
    if tls.cert:
        _load_chain(ssl, context, tls)
    return context.wrap_socket(sock, server_hostname=tls.name, do_handshake_on_connect=False)


def _load_chain(ssl, context, tls):
    """Hand CPython certificate and key: it takes them from a file only, which nobody else can read."""
    import tempfile
    from binascii import b2a_base64

    with tempfile.NamedTemporaryFile("w") as file:
        file.write(ssl.DER_cert_to_PEM_cert(tls.cert))
        file.write("-----BEGIN PRIVATE KEY-----\n%s-----END PRIVATE KEY-----\n" % b2a_base64(tls.key).decode())
        file.flush()
        context.load_cert_chain(file.name)


def _shaken_host(sock):
    try:
        sock.do_handshake()
    except OSError as error:
        _waiting(error)
        return False
    return True


_vm = sys.implementation.name == "micropython"
_receive = _receive_vm if _vm else _receive_host
_send = _send_vm if _vm else _send_host
_wrap = _wrap_vm if _vm else _wrap_host
_hands_shaken = _shaken_vm if _vm else _shaken_host
