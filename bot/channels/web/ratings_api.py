"""Whether an answer helped, over HTTP."""

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field, StrictBool

from bot.channels.web.api import PROBLEMS, ServicesDep, TokenDep, _Body
from bot.conversations.queries import conversation_of_token
from bot.conversations.service import locked_conversation
from bot.editing.models import Reason
from bot.editing.ratings import rate
from bot.handoff.wire import BIGGEST_SEQ

router = APIRouter(prefix="/api/v1", tags=["students"])


class Rate(_Body):
    seq: Annotated[int, Field(strict=True, ge=1, le=BIGGEST_SEQ, description="Of a message that has a `topic`.")]
    helpful: StrictBool
    reason: Reason | None = Field(None, description="Only where it did not help.")


class Rated(BaseModel):
    topic: str
    helpful: bool
    reason: Reason | None


@router.post("/conversations/{conversation_id}/ratings", responses=PROBLEMS)
async def rate_answer(conversation_id: UUID, body: Rate, services: ServicesDep, token: TokenDep) -> Rated:
    """Say whether an answer helped. Once for a topic in a conversation: said again, the last word counts."""

    def write() -> Rated:
        with services.database.write() as session:
            conversation_of_token(session, conversation_id, token)
            # One at a time, so that two presses are one row.
            locked_conversation(session, conversation_id)
            now = services.clock.now()
            rating = rate(session, conversation_id, body.seq, now, helpful=body.helpful, reason=body.reason)
            return Rated(topic=rating.topic, helpful=rating.helpful, reason=rating.reason)

    return await asyncio.to_thread(write)
