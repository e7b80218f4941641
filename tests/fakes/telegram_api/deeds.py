"""What a person does on the phone, as JSON → what happens in the world. Pure but for the world it changes."""

import base64
from collections.abc import Callable
from typing import Any

from tests.fakes.telegram_api.rules import Json
from tests.fakes.telegram_api.state import File, Message, Person, World


def person_of(given: Json) -> Person:
    return Person(
        id=int(given["id"]),
        name=str(given.get("name") or "Test"),
        last_name=str(given.get("last_name") or ""),
        username=str(given.get("username") or ""),
        language_code=str(given.get("language_code") or ""),
    )


def act(world: World, deed: Json, now: float) -> Json:
    """Do it; returns what the phone wants to know of it. Raises KeyError or ValueError when it cannot be done."""
    person = world.meet(person_of(deed["person"]))
    name = deed["deed"]
    if name not in DEEDS:
        raise ValueError(f"a phone cannot {name!r}; it can: {', '.join(sorted(DEEDS))}")
    return DEEDS[name](world, person, deed, now)


def _appears(_world: World, _person: Person, _deed: Json, _now: float) -> Json:
    return {}


def _says(world: World, person: Person, deed: Json, now: float) -> Json:
    message = world.write(person, {"text": str(deed["text"])}, now, deed.get("chat"))
    return message.body


def _edits(world: World, person: Person, deed: Json, now: float) -> Json:
    return world.rewrite(person, int(deed["message_id"]), str(deed["text"]), now, deed.get("chat")).body


def _presses(world: World, person: Person, deed: Json, now: float) -> Json:
    number, data = int(deed["message_id"]), str(deed["data"])
    if deed.get("anyway"):
        return {"query_id": world.press_anyway(person, world.messages[person.id, number], data, now)}
    return {"query_id": world.press(person, number, data, now)}


def _sends(world: World, person: Person, deed: Json, now: float) -> Json:
    """Something that is not a text, or an album of it."""
    items = deed["items"]
    album: Json = {"media_group_id": str(world.next_message)} if len(items) > 1 else {}
    sent: list[Message] = []
    for item in items:
        content = {**_content(world, item), **album}
        if item.get("caption"):
            content["caption"] = item["caption"]
        sent.append(world.write(person, content, now, deed.get("chat")))
    return {"messages": [each.body for each in sent]}


def _blocks(world: World, person: Person, _deed: Json, now: float) -> Json:
    world.block(person, now, is_blocked=True)
    return {}


def _unblocks(world: World, person: Person, _deed: Json, now: float) -> Json:
    world.block(person, now, is_blocked=False)
    return {}


def _leaves(world: World, person: Person, _deed: Json, _now: float) -> Json:
    world.people[person.id].is_deactivated = True
    return {}


def _groups(world: World, person: Person, deed: Json, now: float) -> Json:
    return {"chat": world.make_group(person, deed.get("kind", "group"), str(deed["title"]), now).id}


def _puts_out(world: World, person: Person, deed: Json, now: float) -> Json:
    world.put_out(person, world.chats[int(deed["chat"])], now)
    return {}


def _migrates(world: World, person: Person, deed: Json, now: float) -> Json:
    return {"chat": world.migrate(person, world.chats[int(deed["chat"])], now).id}


DEEDS: dict[str, Callable[[World, Person, Json, float], Json]] = {
    "appears": _appears,
    "says": _says,
    "edits": _edits,
    "presses": _presses,
    "sends": _sends,
    "blocks": _blocks,
    "unblocks": _unblocks,
    "leaves": _leaves,
    "groups": _groups,
    "puts_out": _puts_out,
    "migrates": _migrates,
}


def _content(world: World, item: Json) -> Json:
    kind = item["kind"]
    if kind in ("location", "contact", "poll", "sticker", "dice"):
        return {kind: WITHOUT_FILE[kind](world, item)}
    name = str(item.get("name") or "file")
    data = base64.b64decode(item.get("data") or "")
    file = world.add_file(data, name, f"{kind}s", item.get("size"))
    known: dict[str, Any] = {"file_id": file.id, "file_unique_id": file.unique_id, "file_size": file.size}
    media_type = str(item.get("media_type") or "application/octet-stream")
    if kind == "photo":
        return {"photo": [_small(world), {**known, "width": 1280, "height": 960}]}
    if kind == "document":
        return {"document": {**known, "file_name": name, "mime_type": media_type}}
    if kind == "voice":
        return {"voice": {**known, "duration": 3, "mime_type": "audio/ogg"}}
    if kind == "audio":
        return {"audio": {**known, "duration": 3, "file_name": name, "mime_type": media_type}}
    if kind == "video":
        shape = {"width": 640, "height": 480, "duration": 3}
        return {"video": {**known, **shape, "file_name": name, "mime_type": media_type}}
    if kind == "video_note":
        return {"video_note": {**known, "length": 240, "duration": 3}}
    raise ValueError(f"a phone sends no {kind!r}")


def _small(world: World) -> Json:
    file = world.add_file(b"small", "small.jpg", "thumbnails")
    return {"file_id": file.id, "file_unique_id": file.unique_id, "file_size": file.size, "width": 90, "height": 67}


def _location(_world: World, item: Json) -> Json:
    return {"latitude": float(item.get("latitude", 50.6333)), "longitude": float(item.get("longitude", 3.0667))}


def _contact(_world: World, item: Json) -> Json:
    return {"phone_number": str(item.get("phone_number", "+33600000000")), "first_name": str(item.get("name", "Test"))}


def _poll(_world: World, item: Json) -> Json:
    options = [{"persistent_id": str(n), "text": each, "voter_count": 0} for n, each in enumerate(("Yes", "No"))]
    facts = {"is_closed": False, "is_anonymous": True, "type": "regular", "allows_multiple_answers": False}
    rules = {"allows_revoting": True, "members_only": False}
    question = str(item.get("question", "A question?"))
    return {"id": "1", "question": question, "options": options, "total_voter_count": 0, **facts, **rules}


def _sticker(world: World, item: Json) -> Json:
    file: File = world.add_file(b"sticker", "sticker.webp", "stickers")
    known = {"file_id": file.id, "file_unique_id": file.unique_id, "file_size": file.size}
    shape = {"type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False}
    return {**known, **shape, "emoji": str(item.get("emoji", "🙂"))}


def _dice(_world: World, _item: Json) -> Json:
    return {"emoji": "🎲", "value": 4}


WITHOUT_FILE: dict[str, Callable[[World, Json], Json]] = {
    "location": _location,
    "contact": _contact,
    "poll": _poll,
    "sticker": _sticker,
    "dice": _dice,
}
