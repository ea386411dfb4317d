"""What clients send and see of users and sessions."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, SecretStr

from contracts.access.roles import Permission, Role
from gateway.schemas import Strict

Username = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]*$")]
Password = Annotated[SecretStr, Field(min_length=1, max_length=1_024)]


class LoginRequest(Strict):
    username: Annotated[str, Field(min_length=1, max_length=100)]
    password: Password


class RefreshRequest(Strict):
    refresh_token: Annotated[str, Field(min_length=1, max_length=200)]


class TokenView(BaseModel):
    """`expires_in` is in seconds and speaks of the access token; the refresh token works once."""

    access_token: str
    refresh_token: str
    token_type: Literal["bearer"]
    expires_in: int
    must_change_password: bool


class VerifyView(BaseModel):
    valid: Literal[True]
    id: UUID
    username: str
    role: Role
    expires_at: datetime


class MeView(BaseModel):
    """Who is signed in. With `must_change_password` only this, the password and signing out are open."""

    id: UUID
    username: str
    name: str | None
    role: Role
    permissions: list[Permission]
    must_change_password: bool
    time_zone: str | None
    project_id: UUID
    expires_at: datetime
    created_at: datetime


class MeChange(Strict):
    """Left out means unchanged; null clears it."""

    name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")] | None = None
    time_zone: Annotated[str, Field(max_length=64)] | None = None


class PasswordChange(Strict):
    current_password: Password
    new_password: Password


class UserCreate(Strict):
    username: Username
    password: Password
    role: Role
    must_change_password: bool = True


class UserView(BaseModel):
    id: UUID
    username: str
    name: str | None
    role: Role
    active: bool
    must_change_password: bool
    created_at: datetime
    updated_at: datetime
