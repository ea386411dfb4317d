"""Runs, their tasks, and every attempt."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    SmallInteger,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from contracts.runs.states import RunStatus, RunTrigger, TaskState
from contracts.tables.base import Base, Id, Now, ProjectId, one_of


class RunRow(Base):
    """Inserted as `requested` by the gateway; changed by the orchestrator, cancel marks by the gateway.

    `tally` counts tasks per step and state as the last plan saw them.
    """

    __tablename__ = "runs"

    id: Mapped[Id]
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id"))
    job_id: Mapped[UUID]
    job_version: Mapped[int]
    status: Mapped[str]
    parameters: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    targets: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    """Names chosen for this run; the definition's own when null."""
    target_query: Mapped[dict[str, Any] | None]
    """`{query, on_empty}` chosen for this run instead of names."""
    tally: Mapped[list[Any] | None] = mapped_column(JSONB)
    requested_by: Mapped[str]
    correlation_id: Mapped[UUID]
    rerun_of: Mapped[UUID | None]
    trigger: Mapped[str] = mapped_column(server_default=text("'manual'"))
    only_targets: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    """Every step runs on these alone of its targets; on all of them when null."""
    from_step: Mapped[int | None] = mapped_column(SmallInteger)
    """This step and all that need it; every step when null."""
    requested_at: Mapped[Now]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    wake_at: Mapped[datetime | None]
    cancel_requested_at: Mapped[datetime | None]
    cancel_requested_by: Mapped[str | None]
    parked_by: Mapped[UUID | None]
    """The dead letter that keeps this run from being looked for."""
    reason: Mapped[str | None]
    """Why it ended as it did, in words, when no task says so."""

    __table_args__ = (
        one_of("status", RunStatus),
        one_of("trigger", RunTrigger),
        ForeignKeyConstraint(["job_id", "job_version"], ["job_versions.job_id", "job_versions.version"]),
        CheckConstraint(
            "(ended_at IS NOT NULL) = (status IN ('succeeded', 'partial', 'failed', 'cancelled', 'unknown'))",
            name="ended_when_terminal",
        ),
        Index("ix_runs_page", "project_id", "id"),
        Index("ix_runs_job", "job_id", "id"),
        Index("ix_runs_requester", "requested_by", "id"),
        Index("ix_runs_rerun", "rerun_of", "id", postgresql_where=text("rerun_of IS NOT NULL")),
        Index(
            "ix_runs_unhappy",
            "project_id",
            "id",
            postgresql_where=text("status IN ('failed', 'partial', 'cancelled', 'unknown')"),
        ),
        Index("ix_runs_requested", "id", postgresql_where=text("status = 'requested'")),
        Index("ix_runs_open", "id", postgresql_where=text("ended_at IS NULL")),
        Index("ix_runs_wake", "wake_at", postgresql_where=text("wake_at IS NOT NULL")),
        Index(
            "ix_runs_cancel",
            "id",
            postgresql_where=text("cancel_requested_at IS NOT NULL AND ended_at IS NULL"),
        ),
    )


class RunSecretRow(Base):
    """A sealed secret parameter of a run. Written by the gateway, read by executors."""

    __tablename__ = "run_secrets"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    key_id: Mapped[str]
    wrapped_key: Mapped[bytes] = mapped_column(LargeBinary)
    nonce: Mapped[bytes] = mapped_column(LargeBinary)
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_for: Mapped[UUID | None]
    """The run it was sealed for when that is another one, which this run repeats."""


class TaskRow(Base):
    """One step on one target. Inserted and released by the orchestrator, claimed and settled by executors.

    `fence` counts up whenever the task changes hands; only its latest holder can settle. A task that is
    `running` without a worker was left behind by a lost one and waits to be re-attached.
    """

    __tablename__ = "tasks"

    id: Mapped[Id]
    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    step_no: Mapped[int] = mapped_column(SmallInteger)
    ordinal: Mapped[int]
    """Place among the tasks of its step: the order of release."""
    target_id: Mapped[UUID | None] = mapped_column(ForeignKey("targets.id"))
    target_name: Mapped[str | None]
    pool: Mapped[str]
    state: Mapped[str]
    attempt: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    fence: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    worker_id: Mapped[UUID | None]
    not_before: Mapped[Now]
    unplanned: Mapped[bool] = mapped_column(server_default=text("false"))
    parked_by: Mapped[UUID | None]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    exit_code: Mapped[int | None] = mapped_column(BigInteger)
    error: Mapped[dict[str, Any] | None]
    """`{code, message, hint}` of the last attempt that did not succeed."""

    __table_args__ = (
        one_of("state", TaskState),
        Index("uq_tasks_place", "run_id", "step_no", "ordinal", unique=True),
        Index("ix_tasks_target", "target_id", "run_id"),
        Index(
            "ix_tasks_ready",
            "pool",
            "not_before",
            "id",
            postgresql_where=text("state = 'ready' AND parked_by IS NULL"),
        ),
        Index(
            "ix_tasks_left_behind",
            "pool",
            "id",
            postgresql_where=text("state = 'running' AND worker_id IS NULL AND parked_by IS NULL"),
        ),
        Index("ix_tasks_held", "worker_id", postgresql_where=text("state = 'running'")),
        Index(
            "ix_tasks_unhappy",
            "run_id",
            "id",
            postgresql_where=text("state IN ('failed', 'timed_out', 'unknown')"),
        ),
        Index(
            "ix_tasks_unhappy_when",
            "ended_at",
            postgresql_where=text("state IN ('failed', 'timed_out', 'unknown')"),
        ),
        Index("ix_tasks_unknown", "id", postgresql_where=text("state = 'unknown'")),
        Index("ix_tasks_unplanned", "run_id", postgresql_where=text("unplanned")),
        Index(
            "ix_tasks_pending",
            "run_id",
            "step_no",
            "ordinal",
            postgresql_where=text("state = 'pending'"),
        ),
    )


class AttemptRow(Base):
    """One try of a task, with the versions of target and credential it used. Written by executors."""

    __tablename__ = "attempts"

    task_id: Mapped[UUID] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    run_id: Mapped[UUID] = mapped_column(index=True)
    worker_id: Mapped[UUID]
    state: Mapped[str]
    handle: Mapped[dict[str, Any] | None]
    """What the plug-in needs to find the command again; null while nothing can have acted."""
    target_version: Mapped[int | None]
    credential_id: Mapped[UUID | None]
    credential_version: Mapped[int | None]
    started_at: Mapped[Now]
    ended_at: Mapped[datetime | None]
    exit_code: Mapped[int | None] = mapped_column(BigInteger)
    error: Mapped[dict[str, Any] | None]
    outputs: Mapped[dict[str, Any] | None]
    progress: Mapped[dict[str, Any] | None]
    """`{done, total, unit}` as last told, about once a second; only for people to look at."""
    reattached: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    """How often another executor took it over."""
    losses: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    """How often its worker was lost, as opposed to stopped."""
    truncated: Mapped[bool] = mapped_column(server_default=text("false"))
    output_incomplete: Mapped[bool] = mapped_column(server_default=text("false"))

    __table_args__ = (one_of("state", TaskState),)


class ResolutionRow(Base):
    """What a person or a probe found out about an `unknown` task. Written by the gateway."""

    __tablename__ = "resolutions"

    id: Mapped[Id]
    project_id: Mapped[ProjectId]
    task_id: Mapped[UUID] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), unique=True)
    run_id: Mapped[UUID] = mapped_column(index=True)
    verdict: Mapped[str]
    reason: Mapped[str]
    resolved_by: Mapped[str]
    resolved_at: Mapped[Now]

    __table_args__ = (CheckConstraint("verdict IN ('succeeded', 'failed')", name="verdict_known"),)
