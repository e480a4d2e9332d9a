"""Make what a board is born with: a secret that stays on it, and the public keys that follow from it."""

import hashlib
import hmac
import json
import os
import time

from cryptography.hazmat.primitives.asymmetric import ec

from host_tools.errors import OK, ToolError, unreadable
from host_tools.evidence.key_file import KeyFile
from host_tools.evidence.keys import ORDER, kid_of, rows_of

HELP = """Make a device secret (secret.bin, for the board alone) and the public keys that follow from it
(keys.json, for everybody who verifies). An existing secret is never overwritten without --force.
A board with entropy of its own needs none: it makes its keys at its first start. Then --public takes its public.json,
as it came from the board, and writes keys.json from that."""
EXAMPLE = "python3 -m host_tools provision --out build/board-1 --site edge --device board-1"
LABELS = {"record": b"evenkeel record key 1", "checkpoint": b"evenkeel checkpoint key 1"}
_ID_CHARACTERS = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
_ID_LENGTH = 32


def add_arguments(parser):
    """Declare what the command takes."""
    parser.add_argument("--out", required=True, metavar="DIR", help="where secret.bin and keys.json go")
    parser.add_argument("--site", required=True, metavar="ID", help="site id, as in site.json")
    parser.add_argument("--device", required=True, metavar="ID", help="device id, as in site.json")
    parser.add_argument("--public", metavar="FILE", help="public.json of a board that makes its own keys: no secret")
    parser.add_argument("--register", metavar="FILE", help="append the public keys to this keys.json as well")
    parser.add_argument("--seed", type=int, metavar="N", help="for tests only: a secret anybody can compute")
    parser.add_argument("--force", action="store_true", help="replace an existing secret; its keys are lost")


def run(args):
    """Provision; the exit code."""
    if args.public:
        return _take_public(args)
    secret = None if args.seed is None else hashlib.sha256(b"evenkeel test secret %d" % args.seed).digest()
    rows = make(args.out, args.site, args.device, secret, args.force)
    print(f"{os.path.join(args.out, 'secret.bin')}: the secret; bring it onto the board and nowhere else")
    print(f"{os.path.join(args.out, 'keys.json')}: the public keys; give them to whoever verifies")
    for row in rows:
        print(f"  {row['use']:<11}{row['kid']}")
    if args.seed is not None:
        print("The secret was made from --seed: use it for tests only.")
    if args.register:
        added = register(args.register, rows)
        print(f"{args.register}: {added} keys added")
    return OK


def _take_public(args):
    """Write keys.json, and the registry if one is given, from what a board says of itself."""
    if args.seed is not None or args.force:
        raise ToolError("--public goes with neither --seed nor --force", "The board has made its secret itself.")
    rows = rows_of(args.public)
    others = {(row["site"], row["device"]) for row in rows} - {(args.site, args.device)}
    if others:
        raise ToolError(f"{args.public} is of {sorted(others)[0]}, not of {(args.site, args.device)}",
                        "Give --site and --device of the board that it came from.")
    try:
        os.makedirs(args.out, exist_ok=True)
        _write_keys(os.path.join(args.out, "keys.json"), rows)
    except OSError as error:
        raise unreadable(args.out, "folder", error) from error
    print(f"{os.path.join(args.out, 'keys.json')}: the public keys as the board says; see that they came from it")
    if args.register:
        print(f"{args.register}: {register(args.register, rows)} keys added")
    return OK


def make(folder, site, device, secret=None, force=False):
    """Write secret.bin (32 bytes, readable by the owner only) and keys.json; return the key rows."""
    for name, value in (("site", site), ("device", device)):
        if not 1 <= len(value) <= _ID_LENGTH or not set(value) <= _ID_CHARACTERS:
            advice = f"Use 1 to {_ID_LENGTH} letters, digits, dots, dashes and underscores."
            raise ToolError(f"the {name} id {value!r} is not allowed", advice)
    rows = public_keys(secret := secret or os.urandom(32), site, device)
    try:
        os.makedirs(folder, exist_ok=True)
        _write_secret(os.path.join(folder, "secret.bin"), secret, force)
        _write_keys(os.path.join(folder, "keys.json"), rows)
    except FileExistsError as error:
        advice = "Choose another folder, or --force if the old key shall be lost for ever."
        raise ToolError(f"{error.filename} exists already", advice) from error
    except OSError as error:
        raise unreadable(folder, "folder", error) from error
    return rows


def _write_secret(path, secret, force):
    """Write the secret so that nobody else can ever read it, not even while it is written."""
    flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if force else os.O_EXCL)
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(secret)


def _write_keys(path, rows):
    text = json.dumps({"version": 1, "keys": rows}, indent=1) + "\n"
    new = os.fspath(path) + ".new"
    with open(new, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(new, path)


def public_keys(secret, site, device):
    """Derive the rows of keys.json, record key and checkpoint key, from a 32-byte secret."""
    return [_row(secret, site, device, use) for use in LABELS]


def private_number(secret, use):
    """Derive a private key: the first HMAC-SHA256(secret, label, counter) that is a valid scalar."""
    for counter in range(256):
        number = int.from_bytes(hmac.digest(secret, LABELS[use] + bytes((counter,)), "sha256"), "big")
        if 1 <= number < ORDER:
            return number
    raise ToolError("no key follows from this secret", "Make another secret.")


def _row(secret, site, device, use):
    public = ec.derive_private_key(private_number(secret, use), ec.SECP256R1()).public_key()
    numbers = public.public_numbers()
    return {
        "kid": kid_of(public).hex(), "site": site, "device": device, "use": use, "alg": "ES256",
        "x": f"{numbers.x:064x}", "y": f"{numbers.y:064x}",
        "not_before_s": None, "not_after_s": None, "revoked_s": None,
    }


def register(path, rows):
    """Append public keys to a registry, which is made if there is none; return how many were new."""
    file = KeyFile(os.fspath(path), int(time.time()), missing_ok=True)
    added = file.add(rows, "provisioned")
    file.save()
    return added
