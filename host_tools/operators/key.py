"""An operator's key pair: the private one in a PEM file of its owner's, the public one as a row for operators.json."""

import os

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from host_tools.errors import ToolError, read_bytes
from host_tools.evidence.keys import kid_of

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_ADVICE = "Make one with: python3 -m host_tools operator new --out operator.pem"


class OperatorKey:
    """One P-256 key that boards may know; `kid` is 8 bytes."""

    def __init__(self, private):
        self._private = private
        self.kid = kid_of(private.public_key())

    def sign(self, data):
        """Return the 64-byte signature r || s of the bytes, s the lower one."""
        r, s = utils.decode_dss_signature(self._private.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + min(s, _ORDER - s).to_bytes(32, "big")

    def row(self, name):
        """Return the public key as a row of operators.json."""
        numbers = self._private.public_key().public_numbers()
        return {"kid": self.kid.hex(), "name": name, "alg": "ES256", "x": f"{numbers.x:064x}", "y": f"{numbers.y:064x}"}


def new(path):
    """Make a key pair and write its private half, readable by its owner alone; an existing file is never replaced."""
    private = ec.generate_private_key(ec.SECP256R1())
    form = serialization.PrivateFormat.PKCS8
    data = private.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
    except FileExistsError:
        raise ToolError(f"operator key {path} exists already", "Name another file.") from None
    except OSError as error:
        raise ToolError(f"operator key {path}: {error.strerror}", "Check that you may write it.") from error
    return OperatorKey(private)


def load(path):
    """Read a private key; ToolError where it is no unencrypted P-256 key in PEM."""
    data = read_bytes(path, "operator key")
    try:
        private = serialization.load_pem_private_key(data, None)
    except (ValueError, TypeError):
        raise ToolError(f"operator key {path} is no unencrypted private key in PEM", _ADVICE) from None
    if not isinstance(private, ec.EllipticCurvePrivateKey) or private.curve.name != "secp256r1":
        raise ToolError(f"operator key {path} is not on P-256", _ADVICE)
    return OperatorKey(private)
