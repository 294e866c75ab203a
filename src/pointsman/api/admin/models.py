"""Bodies of requests and answers, as the OpenAPI document shows them."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Generic, Literal, TypeVar

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from pointsman.access.credential import Credential, Kind, State
from pointsman.access.tokens import Role, Token
from pointsman.api.pages import MOST_ITEMS
from pointsman.errors import RefusedError
from pointsman.limits.usage import Usage

T = TypeVar("T")
Name = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", max_length=253)]
Namespace = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", max_length=63)]
Text = Annotated[str, Field(max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")]
Limit = Annotated[int, Query(ge=1, le=MOST_ITEMS)]
Seconds = Annotated[int, Field(ge=0, le=10 * 366 * 86_400)]


class Body(BaseModel):
    """Names in camelCase, and nothing that is not known."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, extra="forbid"
    )


class Problem(Body):
    """What went wrong (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str


class Page(Body, Generic[T]):
    """A part of a list; `next` is the cursor of the part behind it, null at the end."""

    items: list[T]
    next: str | None = None


class Spec(Body):
    """Spec of a Consumer."""

    groups: Annotated[list[Text], Field(max_length=32)] = []
    attributes: dict[Text, Text] = {}
    certificates: Annotated[list[Text], Field(max_length=16)] = []
    tokens: Annotated[list["Subject"], Field(max_length=16)] = []


class Subject(Body):
    """Tokens of an issuer that speak for a consumer."""

    issuer: Annotated[Text, Field(min_length=1)]
    subject: Annotated[Text, Field(min_length=1)]


class ConsumerBody(Body):
    """A consumer to be made."""

    namespace: Namespace
    name: Name
    spec: Spec = Spec()


class ConsumerAnswer(Body):
    """A consumer; `origin` is where a file declares it, or `database`."""

    namespace: str
    name: str
    spec: Mapping[str, object]
    origin: str
    version: int | None


class QuotaName(Body):
    """A quota; of all it counts, or of those that `who` fits."""

    limit: Annotated[str, Field(min_length=1, max_length=512)]
    who: dict[str, str] = {}


class QuotaReset(Body):
    """How many counts began anew."""

    count: int


class QuotaAnswer(Body):
    """How a shared limit stands for one of those it counts.

    `used` is what was admitted in the window of a quota, or of late in the unit of a rate; `held`
    is what proxies may admit by their leases; `most` is how many may be. `key` says it in one word.
    """

    key: str
    kind: Literal["rate", "quota"]
    limit: str
    allowance: str
    who: Mapping[str, str]
    used: int
    held: int
    most: int
    resets_at: datetime | None
    proxies: int

    @classmethod
    def of(cls, usage: Usage) -> "QuotaAnswer":
        """As it is known."""
        resets = usage.resets_at
        ends = None if resets is None else datetime.fromtimestamp(resets, UTC)
        return cls(**{**asdict(usage), "resets_at": ends})


class Lasting(Body):
    """How long something is good: until a time, for some seconds, or for ever."""

    expires_at: datetime | None = None
    expires_in: Seconds | None = None

    def ends(self, now: datetime) -> datetime | None:
        """When it ends.

        Raises:
            RefusedError: both are given, or the time has no zone.
        """
        if self.expires_at is not None and self.expires_in is not None:
            raise RefusedError("expiresAt and expiresIn exclude each other", status=422)
        if self.expires_in is not None:
            return now + timedelta(seconds=self.expires_in)
        if self.expires_at is not None and self.expires_at.tzinfo is None:
            raise RefusedError("expiresAt needs a time zone, such as Z", status=422)
        try:
            return None if self.expires_at is None else self.expires_at.astimezone(UTC)
        except OverflowError:
            raise RefusedError("expiresAt is out of range", status=422) from None


class CredentialBody(Lasting):
    """A credential to be made; `secret` is one that was made elsewhere."""

    kind: Kind = "key"
    label: Text = ""
    secret: Annotated[str, Field(max_length=1024)] | None = None


class RotateBody(Lasting):
    """How a credential is replaced; the old one stays good for `overlap` seconds."""

    overlap: Seconds = 86_400


class CredentialAnswer(Body):
    """A credential without its secret."""

    id: str
    kind: Kind
    consumer: str
    prefix: str
    label: str
    state: State
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    replaces: str | None

    @classmethod
    def of(cls, found: Credential, now: datetime) -> "CredentialAnswer":
        """What is shown of one."""
        return cls(
            id=found.id,
            kind=found.kind,
            consumer=found.consumer.path,
            prefix=found.prefix,
            label=found.label,
            state=found.state(now),
            created_at=found.created_at,
            created_by=found.created_by,
            expires_at=found.expires_at,
            revoked_at=found.revoked_at,
            replaces=found.replaces,
        )


class IssuedAnswer(Body):
    """A credential that was just made; the secret is shown this once."""

    credential: CredentialAnswer
    secret: str


class TokenBody(Lasting):
    """A token of an administrator to be made."""

    name: Annotated[Text, Field(min_length=1)]
    role: Role = "viewer"


class TokenAnswer(Body):
    """A token without what it is proved by."""

    id: str
    name: str
    role: Role
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, found: Token) -> "TokenAnswer":
        """What is shown of one."""
        return cls(
            id=found.id,
            name=found.name,
            role=found.role,
            created_at=found.created_at,
            expires_at=found.expires_at,
            revoked_at=found.revoked_at,
        )


class IssuedToken(Body):
    """A token that was just made; the secret is shown this once."""

    token: TokenAnswer
    secret: str


class AuditAnswer(Body):
    """A change."""

    id: int
    at: datetime
    actor: str
    action: str
    kind: str
    object: str
    detail: Mapping[str, Any]
