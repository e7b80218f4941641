"""Generated requests over the OpenAPI file: never a 5xx, and every answer is one that the file promises."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from bot.bootstrap import build_services
from bot.config import Settings
from bot.conversations.service import open_conversation
from bot.gateway import build_app
from bot.identity.models import Role
from bot.identity.staff import create_staff, make_token
from bot.tables import METADATA
from tests.fakes import FakeEngine

ONE = "/api/v1/conversations/{conversation_id}"
DESK = "/api/v1/staff/conversations"
OPERATIONS = [
    ("POST", "/api/v1/conversations"),
    ("PATCH", ONE),
    ("POST", f"{ONE}/messages"),
    ("GET", f"{ONE}/messages"),
    ("POST", f"{ONE}/files"),
    ("GET", f"{ONE}/files/{{file_id}}"),
    ("POST", f"{ONE}/typing"),
    ("POST", f"{ONE}/ratings"),
    ("GET", f"{ONE}/path"),
    ("PUT", f"{ONE}/path/{{slug}}"),
    ("POST", f"{ONE}/calendar"),
    ("DELETE", f"{ONE}/calendar"),
    ("GET", f"{ONE}/mydata"),
    ("GET", f"{ONE}/mydata/export"),
    ("DELETE", f"{ONE}/mydata"),
    ("GET", "/api/v1/channels"),
    ("POST", f"{ONE}/telegram"),
    ("GET", f"{ONE}/telegram"),
    ("DELETE", f"{ONE}/telegram"),
    ("POST", f"{ONE}/telegram/confirm"),
    ("POST", f"{ONE}/telegram/refuse"),
    ("GET", DESK),
    ("GET", f"{DESK}/{{conversation_id}}/messages"),
    ("POST", f"{DESK}/{{conversation_id}}/messages"),
    ("GET", f"{DESK}/{{conversation_id}}/files"),
    ("POST", f"{DESK}/{{conversation_id}}/files"),
    ("GET", f"{DESK}/{{conversation_id}}/files/{{file_id}}"),
    ("POST", f"{DESK}/{{conversation_id}}/claim"),
    ("POST", f"{DESK}/{{conversation_id}}/release"),
    ("POST", f"{DESK}/{{conversation_id}}/transfer"),
    ("POST", f"{DESK}/{{conversation_id}}/undo"),
    ("GET", f"{DESK}/{{conversation_id}}/notes"),
    ("POST", f"{DESK}/{{conversation_id}}/notes"),
    ("POST", f"{DESK}/{{conversation_id}}/tasks"),
    ("PUT", f"{DESK}/{{conversation_id}}/tags"),
    ("POST", f"{DESK}/{{conversation_id}}/snooze"),
    ("POST", f"{DESK}/{{conversation_id}}/wake"),
    ("POST", f"{DESK}/{{conversation_id}}/viewing"),
    ("GET", f"{DESK}/{{conversation_id}}/people"),
    ("PATCH", f"{DESK}/{{conversation_id}}/messages/{{seq}}"),
    ("DELETE", f"{DESK}/{{conversation_id}}/messages/{{seq}}"),
    ("GET", "/api/v1/staff/desks"),
    ("GET", "/api/v1/staff/tags"),
    ("GET", "/api/v1/staff/tasks"),
    ("GET", "/api/v1/staff/mentions"),
    ("DELETE", "/api/v1/staff/notes/{note_id}"),
    ("POST", "/api/v1/staff/tasks/{task_id}/done"),
    ("POST", "/api/v1/staff/tasks/{task_id}/undo"),
    ("POST", f"{DESK}/{{conversation_id}}/close"),
]
NOTHING_TO_SEND = ("GET", "/api/v1/channels")
"""Without any parameter there is no request that is not valid."""
STREAM = ("GET", f"{ONE}/events")
"""Left out: it has no end, a client that reads it whole waits for ever. It has tests of its own."""
EXAMPLES = 25
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
]


@dataclass(frozen=True)
class Api:
    schema: schemathesis.BaseSchema
    conversation_id: UUID
    student_token: str
    staff_token: str


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The gateway in this process; nothing runs beside the requests, so that no answer depends on time."""
    data = tmp_path_factory.mktemp("fuzz")
    services = build_services(
        Settings(
            data=data,
            database_url=f"sqlite:///{data / 'accueil.db'}",
            messages_per_minute=100_000,
            conversations_per_minute=100_000,
            _env_file=None,
        )
    )
    METADATA.create_all(services.database.engine.execution_options(writes=True))
    now = services.clock.now()
    with services.database.write() as session:
        conversation, token = open_conversation(
            session, language="en", language_chosen=True, greeting="I am a machine.", channel="web", now=now
        )
        create_staff(session, "claire@junia.example", "Claire", Role.ADVISER, now)
        staff_token = make_token(session, "claire@junia.example", now)
        conversation_id = conversation.id
    app = build_app(services, engine=FakeEngine())
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)
    yield Api(schema, conversation_id, token, staff_token)
    services.database.close()


MODES = {GenerationMode.POSITIVE: "valid", GenerationMode.NEGATIVE: "not valid"}
ASKED = [
    pytest.param(*operation, mode, id=f"{' '.join(operation)}-{word}")
    for operation in OPERATIONS
    for mode, word in MODES.items()
    if (operation, mode) != (NOTHING_TO_SEND, GenerationMode.NEGATIVE)
]


@pytest.mark.parametrize(("method", "path", "mode"), ASKED)
def test_every_answer_is_one_that_the_openapi_file_promises(
    api: Api, method: str, path: str, mode: GenerationMode
) -> None:
    token = api.staff_token if path.startswith("/api/v1/staff/") else api.student_token

    @given(case=api.schema[path][method].as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: schemathesis.Case) -> None:
        identifier = case.path_parameters.get("conversation_id")
        if _is_uuid(identifier) and UUID(str(identifier)).int % 4:
            # Else nearly every request would be about a conversation that does not exist.
            case.path_parameters["conversation_id"] = str(api.conversation_id)
        if "wait" in case.query and mode is GenerationMode.POSITIVE:
            # A long poll is answered at once here.
            case.query["wait"] = 0
        # A query parameter that we do not know is ignored, as everywhere on the web, so a GET that is "not valid" only
        # for that need not be refused; tests/integration/web refuses the values that matter.
        checks = [check for check in CHECKS if not (method == "GET" and check is negative_data_rejection)]
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=checks)

    ask()


def test_every_operation_of_the_file_is_asked_but_the_stream(api: Api) -> None:
    found = {(each.ok().method.upper(), each.ok().path) for each in api.schema.get_all_operations()}

    assert found == {*OPERATIONS, STREAM}


def _is_uuid(value: object) -> bool:
    try:
        UUID(str(value))
    except ValueError:
        return False
    return True
