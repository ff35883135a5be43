"""A Kafka broker with SASL_SSL and ACLs of its own, as a company has it; its plain listener is the administrator's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from cryptography.hazmat.primitives import serialization

from tests.services.base import free_port
from tests.services.kafka import QUICK_START, Kafka
from tests.support.certificates import Authority

USER, PASSWORD = "airflow", "secret-of-airflow"


class SecuredKafka(Kafka):
    """One node. Nobody may do anything without an ACL, except the administrator.

    Attributes:
        secured: address of the listener with SASL_SSL.
        authority: signed the broker's certificate.
    """

    def __init__(self, folder: Path) -> None:
        port, secured, controller = free_port(), free_port(), free_port()
        self.authority, self.secured = Authority(folder, "authority"), f"127.0.0.1:{secured}"
        listeners = f"PLAINTEXT://127.0.0.1:{port},SASL_SSL://{self.secured}"
        settings = {
            "listeners": f"{listeners},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": listeners,
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": (
                "org.apache.kafka.common.security.scram.ScramLoginModule required;"
            ),
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(_keystore(self.authority)),
        }
        super().__init__(shared=False, settings=settings, port=port)
        self._enrol()

    def _enrol(self) -> None:
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        change = UserScramCredentialUpsertion(USER, info, PASSWORD.encode())
        self.admin.alter_user_scram_credentials([change])[USER].result(30)

    def allow(self, operations: Iterable[AclOperation], prefix: str) -> None:
        """Let the user do this on all topics whose names begin so, and nothing else."""
        every = AclBindingFilter(
            ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY
        )
        for answer in self.admin.delete_acls([every]).values():
            answer.result(30)
        user = f"User:{USER}"
        wanted = [
            AclBinding(
                ResourceType.TOPIC,
                prefix,
                ResourcePatternType.PREFIXED,
                user,
                "*",
                one,
                AclPermissionType.ALLOW,
            )
            for one in operations
        ]
        for answer in self.admin.create_acls(wanted).values() if wanted else ():
            answer.result(30)

    def allowed(self, prefix: str) -> set[AclOperation]:
        """What the user may do on topics whose names begin so, as the broker knows it."""
        every = AclBindingFilter(
            ResourceType.TOPIC,
            prefix,
            ResourcePatternType.PREFIXED,
            f"User:{USER}",
            None,
            AclOperation.ANY,
            AclPermissionType.ANY,
        )
        return {one.operation for one in self.admin.describe_acls(every).result(30)}


def _keystore(authority: Authority) -> Path:
    """Return a file with the key, as PKCS 8, and its certificate."""
    folder = authority.folder
    certificate, key, together = folder / "kafka.crt", folder / "kafka.key", folder / "kafka.pem"
    authority.sign(certificate, key, "127.0.0.1", "localhost")
    loaded = serialization.load_pem_private_key(key.read_bytes(), None)
    plain = loaded.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    together.write_bytes(plain + certificate.read_bytes())
    return together


@contextmanager
def secured_kafka(folder: Path) -> Iterator[SecuredKafka]:
    """Such a broker while the context lasts."""
    with mock.patch.dict("os.environ", QUICK_START):
        broker = SecuredKafka(folder)
    try:
        yield broker
    finally:
        broker.stop()
