"""The uplink over TLS, on CPython's ssl and MicroPython's tls: a broker that is known, and one that only says so."""

import datetime
import ipaddress
import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests import uplink_rig
from tests.broker import Broker, free_port

VMS = sorted(uplink_rig.VMS)
_PEM = serialization.Encoding.PEM


def _certificate(subject, key, issuer, issuer_key, is_ca):
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]) for name in (subject, issuer)]
    hosts = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    return (x509.CertificateBuilder().subject_name(names[0]).issuer_name(names[1]).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30)).add_extension(hosts, False)
            .add_extension(x509.BasicConstraints(is_ca, None), True).sign(issuer_key, hashes.SHA256()))


def _authority(folder, name):
    """Make a CA and a server's certificate of it; return the CA's PEM."""
    folder.mkdir()
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = _certificate(name, ca_key, name, ca_key, True).public_bytes(_PEM)
    (folder / "ca.pem").write_bytes(ca)
    (folder / "server.pem").write_bytes(_certificate("localhost", key, name, ca_key, False).public_bytes(_PEM))
    form = serialization.PrivateFormat.PKCS8
    (folder / "server.key").write_bytes(key.private_bytes(_PEM, form, serialization.NoEncryption()))
    return ca


def _settings(folder):
    return ["allow_anonymous true", f"cafile {folder}/ca.pem", f"certfile {folder}/server.pem",
            f"keyfile {folder}/server.key", f"listener {plain_port(folder)} 127.0.0.1", "allow_anonymous true"]


def plain_port(folder):
    """Return the port of the same broker without TLS, for the listener."""
    path = folder / "port"
    if not path.exists():
        path.write_text(str(free_port()))
    return int(path.read_text())


@pytest.mark.parametrize("vm", VMS)
def test_records_go_over_tls(tmp_path, vm):
    folder = uplink_rig.Folder(tmp_path / "board", 20, events=3)
    ca = _authority(tmp_path / "broker", "ours")
    (folder.path / "ca.pem").write_bytes(ca)
    (folder.path / "uplink.json").write_text(json.dumps({"ca": "ca.pem"}))
    with Broker(tmp_path / "broker", _settings(tmp_path / "broker")) as broker:
        with uplink_rig.Listener(plain_port(tmp_path / "broker"), folder.operator) as listener:
            counts, _ = uplink_rig.finish(folder.start(vm, broker.port, uplink={"tls": 1, "host": "localhost"}))
    assert [listener.records[n] for n in range(20)] == folder.records and counts["acked"] == 20


@pytest.mark.parametrize("vm", VMS)
def test_a_broker_of_another_authority_gets_nothing(tmp_path, vm):
    folder = uplink_rig.Folder(tmp_path / "board", 3, events=3)
    (folder.path / "ca.pem").write_bytes(_authority(tmp_path / "others", "others"))
    (folder.path / "uplink.json").write_text(json.dumps({"ca": "ca.pem", "user": "board", "password": "never-said"}))
    _authority(tmp_path / "broker", "ours")
    with Broker(tmp_path / "broker", _settings(tmp_path / "broker")) as broker:
        counts, said = uplink_rig.finish(folder.start(vm, broker.port, failures=2,
                                                      uplink={"tls": 1, "host": "localhost"}))
        assert "evenkeel-north" not in broker.log.read_text()
    assert counts["sessions"] == 0 and counts["failures"] >= 1 and "never-said" not in said
