"""Every table, imported in one place so that migrations and the erasure see all of them."""

import bot.bookings.models
import bot.buddies.models
import bot.calling.models
import bot.conversations.models
import bot.conversations.search
import bot.courses.models
import bot.editing.models
import bot.handoff.finding
import bot.handoff.models
import bot.identity.models
import bot.paperwork.models
import bot.radar.models
import bot.reminders.models
import bot.replies.models
import bot.students.models
import bot.upkeep.models  # noqa: F401  (imported for their tables)
from bot.db.base import Base

METADATA = Base.metadata
