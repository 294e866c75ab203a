"""Certificates for translations that name files nobody has: paths of files that are there."""

from collections.abc import Mapping
from pathlib import Path

from pointsman.envoy.seal import seal, unseal
from pointsman.envoy.sealed import SECRET
from pointsman.xds.snapshot import Snapshot
from tests.support.certificates import Authority
from tests.support.sds import LocalSds, authorities, certificate


async def secret_files(folder: Path, sds: LocalSds) -> dict[str, str]:
    """Files for every secret of files, and the secrets the local service has.

    Returns:
        Paths by the field of a secret that names one.
    """
    authority = Authority()
    leaf = authority.issue("front.example")
    files = leaf.write(folder)
    await sds.put(certificate("front", leaf.chain, leaf.key), authorities("bundle", authority.pem))
    return {
        "certificate_chain": str(files.chain),
        "private_key": str(files.key),
        "secret": str(files.key),
        "trusted_ca": str(authority.write(folder)),
        "watched_directory": str(folder),
    }


def with_files(snapshot: Snapshot, files: Mapping[str, str]) -> Snapshot:
    """A snapshot whose secrets hold paths of files that are there."""
    secrets = {}
    for name, item in snapshot.of(SECRET).items():
        secret = unseal(item)
        content = getattr(secret, secret.WhichOneof("type"))
        for field in files.keys() & {field.name for field, _ in content.ListFields()}:
            source = getattr(content, field)
            setattr(source, "path" if field == "watched_directory" else "filename", files[field])
        secrets[name] = seal(secret, item.keys)
    return Snapshot({**snapshot.resources, SECRET: secrets}) if secrets else snapshot
