"""What clients send and see of users and sessions."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, SecretStr

from contracts.access.roles import Role
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
    role: Role
    active: bool
    must_change_password: bool
    created_at: datetime
    updated_at: datetime
