"""The command line `accueil`: thin commands over the services."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.common import day_of, note, one_sentence, say
from bot.clock import SystemClock
from bot.config import load_settings
from bot.log import configure_logging

app = typer.Typer(
    help="Accueil: the welcome desk of an international office, in chat.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command()
def run() -> None:
    """Start everything, print the addresses, stop with Ctrl-C."""
    from bot.supervisor.desk import run_desk

    with one_sentence() as settings:
        code = run_desk(settings, say)
    raise typer.Exit(code)


@app.command()
def gateway() -> None:
    """The gateway alone; `run` starts it together with the engine and the action server."""
    import uvicorn

    # Before the fork all that takes time, after it all that opens a file or starts a thread.
    from bot.bootstrap import build_services
    from bot.gateway import build_app, make_ready
    from bot.supervisor.prefork import serve_by_fork

    def serve() -> None:
        with one_sentence() as settings:
            web = build_app(build_services(settings))
            uvicorn.run(
                web,
                host=settings.host,
                port=settings.port,
                # Our own handler: uvicorn's would write out what an exception says, a student's words included.
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=5,
                # A TLS proxy on this machine tells who the student is and that the way was https; nobody else may.
                proxy_headers=True,
                forwarded_allow_ips="127.0.0.1",
            )

    configure_logging()
    make_ready()
    raise typer.Exit(serve_by_fork(serve))


@app.command()
def migrate() -> None:
    """Bring the database to the newest shape."""
    from bot.db.migrate import upgrade
    from bot.db.session import Database

    with one_sentence() as settings:
        settings.data.mkdir(parents=True, exist_ok=True)
        upgrade(Database(settings.database))


@app.command()
def train(
    force: Annotated[bool, typer.Option(help="Switch even to a model that scores lower.")] = False,
    beside: Annotated[bool, typer.Option(help="Only train and compare; the model in use stays.")] = False,
) -> None:
    """Train the NLU model when its inputs changed; keep the last good one."""
    from bot.bench.beside import train_and_compare
    from bot.supervisor.desk import train_model

    with one_sentence() as settings:
        if beside:
            train_and_compare(settings, say)
        else:
            train_model(settings, say, force=force)


@app.command()
def ask(
    text: Annotated[str | None, typer.Argument(help="One question.")] = None,
    jsonl: Annotated[Path | None, typer.Option(help="A file with one JSON object a line: id, text, …")] = None,
    student: Annotated[str | None, typer.Option(help="Answer as to this student (e-mail).")] = None,
    today: Annotated[str | None, typer.Option(help="Answer as on this day (ISO date).")] = None,
    language: Annotated[str | None, typer.Option(help="Language of the answer; else it is detected.")] = None,
) -> None:
    """Ask without leaving a trace; one JSON line per question on stdout."""
    from bot.gateway.ask import Defaults, Line, read_lines
    from bot.supervisor.asking import ask_lines

    with one_sentence() as settings:
        if (text is None) == (jsonl is None):
            raise typer.BadParameter("give either a question or --jsonl FILE")
        day = day_of(today)
        if jsonl is not None and not jsonl.is_file():
            raise typer.BadParameter(f"--jsonl {jsonl}: there is no such file")
        lines = list(read_lines(jsonl)) if jsonl is not None else [Line(id="1", text=text or "")]
        defaults = Defaults(language=language, student=student, today=day)
        ask_lines(settings, lines, defaults, out=sys.stdout, note=note)


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="A question or a few words.")],
    language: Annotated[str, typer.Option(help="Language of the titles shown.")] = "en",
    count: Annotated[int, typer.Option(min=1, max=20, help="How many topics.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines to read.")] = False,
) -> None:
    """Find the topics nearest to a query, by words and by meaning."""
    from bot.answers.search import Words, by_meaning
    from bot.answers.search import search as find
    from bot.content.loader import load_knowledge
    from bot.i18n.languages import CODES

    with one_sentence() as settings:
        if language not in CODES:
            raise typer.BadParameter(f"--language {language!r} is not one of {', '.join(CODES)}")
        knowledge = load_knowledge(settings.root / "knowledge")
        meaning = by_meaning(settings.data / "models")
        if meaning is None:
            note("No model is trained yet (`accueil train`): searching by words alone.")
        hits = find(query, Words(knowledge, settings.root / "data" / "nlu"), meaning, count)
        found = [
            {
                "topic": hit.topic,
                "group": knowledge.topic(hit.topic).file.group,
                "title": knowledge.topic(hit.topic).file.title.get(language),
                "question": knowledge.topic(hit.topic).file.question.get(language),
                "score": round(hit.score, 5),
            }
            for hit in hits
            if hit.topic in knowledge.topics
        ]
        if as_json:
            say(json.dumps({"query": query, "language": language, "results": found}, ensure_ascii=False))
            return
        for each in found:
            say(f"{each['question']}  ({each['topic']})")
        if not found:
            say("Nothing was found. Try other words.")


@app.command("check-content")
def check_content(
    today: Annotated[str | None, typer.Option(help="Check as on this day (ISO date).")] = None,
) -> None:
    """Say what is missing, out of date or dangling in knowledge/ and data/nlu/."""
    from bot.content.check import blanks, check
    from bot.content.desks import load_desks
    from bot.content.loader import load_knowledge
    from bot.courses.statements import load_statements
    from bot.housing.advert_file import load_adverts
    from bot.paperwork.schema import load_procedures

    with one_sentence() as settings:
        root = settings.root
        procedures = {str(p.slug): p.valid_until for p in load_procedures(root / "knowledge" / "procedures")}
        day = day_of(today)
        knowledge = load_knowledge(root / "knowledge")
        # Each raises what is wrong in its own file.
        load_adverts(root / "knowledge")
        load_statements(root / "knowledge" / "placement.yml")
        load_desks(root / "knowledge" / "desks.yml")
        findings = check(knowledge, root / "data" / "nlu", root / "tests" / "nlu", procedures, day)
        for finding in findings:
            say(str(finding))
        if empty := blanks(knowledge):
            say(f"What the office has not told us yet ({len(empty)} entries of knowledge/school.yml):")
            for name, topics in empty:
                say(f"  {name}: {topics} {'topic needs' if topics == 1 else 'topics need'} it")
        say(f"{len(knowledge.topics)} topics, {len(procedures)} procedures, {len(findings)} findings.")
        if any(finding.level == "error" for finding in findings):
            raise typer.Exit(1)


@app.command("i18n-check")
def i18n_check() -> None:
    """Say what the catalogues lack."""
    from bot.i18n.catalogues import check_catalogues

    with one_sentence() as settings:
        faults = list(check_catalogues(settings.root))
        for fault in faults:
            say(fault)
        say(f"{len(faults)} faults in the catalogues.")
        if faults:
            raise typer.Exit(1)


@app.command()
def path(
    student: Annotated[str | None, typer.Option(help="The student's e-mail.")] = None,
    facts: Annotated[Path | None, typer.Option(help="A JSON file of facts.")] = None,
    today: Annotated[str | None, typer.Option(help="As on this day (ISO date).")] = None,
    language: Annotated[str, typer.Option(help="Language of the titles and reasons.")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines to read.")] = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of both and stop.")] = False,
) -> None:
    """Print the dated steps of a student."""
    from bot.bootstrap import build_services
    from bot.errors import NotFound
    from bot.i18n.languages import CODES, is_supported
    from bot.paperwork.contract import path_schema
    from bot.paperwork.queries import steps_done
    from bot.paperwork.rules import path as steps_of
    from bot.paperwork.wording import step_as_json
    from bot.students.facts import read_facts
    from bot.students.records import facts_of, student_by_email
    from bot.supervisor.checks import check_folder
    from bot.supervisor.desk import prepare_database

    with one_sentence() as settings:
        if schema:
            say(json.dumps(path_schema(), indent=1))
            return
        if (student is None) == (facts is None):
            raise typer.BadParameter("give either --student EMAIL or --facts FILE")
        if not is_supported(language):
            raise typer.BadParameter(f"--language {language!r} is not one of {', '.join(CODES)}")
        day = day_of(today)
        services = build_services(settings)
        if facts is not None:
            known = read_facts(facts)
        else:
            check_folder(settings.data)
            prepare_database(settings, note)
            with services.database.read() as session:
                record = student_by_email(session, student or "")
                if record is None:
                    raise NotFound(f"There is no student {student}.")
                known = facts_of(record, steps_done(session, record.id))
        steps = [step_as_json(step, language) for step in steps_of(services.procedures, known, day)]
        if as_json:
            result: dict[str, Any] = {"today": day.isoformat(), "steps": steps}
            say(json.dumps(result, ensure_ascii=False, indent=1))
            return
        for step in steps:
            say(f"{step['due'] or '-':10}  {step['status']:10}  {step['slug']}: {' '.join(step['because'])}")


bench_app = typer.Typer(help="Measure: start, turn, import, buddies, inbox, radar, nlu.", no_args_is_help=True)
app.add_typer(bench_app, name="bench")


@bench_app.command("start")
def bench_start_command() -> None:
    """Start twice in an empty folder: seconds, first answer, resident memory."""
    from bot.bench.desk import bench_start

    with one_sentence():
        bench_start(say)


@bench_app.command("turn")
def bench_turn_command(
    turns: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
    own: Annotated[bool, typer.Option(help="Start a desk of its own in a temporary folder.")] = False,
) -> None:
    """How long answers take over the public API."""
    from bot.bench.desk import bench_turn

    with one_sentence() as settings:
        bench_turn(settings.data, turns, say, own=own)


@bench_app.command("import")
def bench_import_command(rows: Annotated[int, typer.Option(min=1, max=50_000)] = 10_000) -> None:
    """How long a file of the school takes to import, as CSV and as XLSX."""
    from bot.bench.imports import bench_import

    with one_sentence():
        bench_import(rows, say)


@bench_app.command("buddies")
def bench_buddies_command(
    instances: Annotated[int, typer.Option(min=0, max=1_000_000, help="Random small intakes to check.")] = 0,
) -> None:
    """How long pairing takes, from 200 newcomers to 5,000."""
    from bot.bench.buddies import bench_buddies

    with one_sentence():
        bench_buddies(instances, say)


@bench_app.command("radar")
def bench_radar_command(
    students: Annotated[int, typer.Option(min=1, max=20_000)] = 1_000,
    messages: Annotated[int, typer.Option(min=10, max=5_000_000)] = 1_000_000,
    database_url: Annotated[str, typer.Option(help="An empty PostgreSQL; left out: SQLite, thrown away.")] = "",
) -> None:
    """How long the radar takes to see who is stuck, and to read a year of weeks."""
    from bot.bench.radar import bench_radar

    with one_sentence():
        bench_radar(students, messages, database_url, say)


@bench_app.command("inbox")
def bench_inbox_command(
    conversations: Annotated[int, typer.Option(min=2, max=100_000)] = 2_000,
    messages: Annotated[int, typer.Option(min=10_000, max=10_000_000)] = 200_000,
    database_url: Annotated[str | None, typer.Option(help="An empty database; a temporary SQLite file else.")] = None,
) -> None:
    """How long the console's lists and its search take on a full desk."""
    from bot.bench.inbox import bench_inbox

    with one_sentence():
        if not bench_inbox(say, conversations, messages, database_url):
            raise typer.Exit(1)


@bench_app.command("nlu")
def bench_nlu_command(
    dataset: Annotated[Path | None, typer.Option(help="A folder: train.csv, test.csv or data_full.json.")] = None,
    shots: Annotated[int | None, typer.Option(min=1, help="Training examples a class; all when left out.")] = None,
    seeds: Annotated[int, typer.Option(min=1, max=20, help="How many draws of the examples.")] = 3,
    report: Annotated[Path | None, typer.Option(help="Write the evaluation of our own data as HTML here.")] = None,
    baseline: Annotated[bool, typer.Option(help="Accept this measurement: later ones may not lose a point.")] = False,
) -> None:
    """How well the model understands: our held-out questions, or a public set."""
    from bot.bench.desk import machine, say_table
    from bot.bench.nlu import bench_dataset, bench_own, cross_validated, measure, write_baseline

    with one_sentence() as settings:
        results = None
        if dataset is not None:
            say_table(say, bench_dataset(dataset, shots, seeds, note))
        else:
            results, rows = bench_own(settings.root, settings.data)
            say_table(say, rows)
        if report is not None:
            from bot.bench.report import write_report
            from bot.content.loader import load_knowledge

            results = results or measure(settings.root, settings.data)
            knowledge = load_knowledge(settings.root / "knowledge")
            write_report(report, knowledge, results, cross_validated(settings.data), SystemClock().now())
            say(f"Written: {report}")
        if baseline:
            write_baseline(settings.root, results or measure(settings.root, settings.data))
        say(machine())


def whole_app() -> typer.Typer:
    """All commands, those for the accounts of the office included."""
    from bot.cli import (
        audit,
        bookings,
        buddies,
        desks,
        evidence,
        import_buddies,
        knowledge,
        privacy,
        reminders,
        sandbox,
        students,
        telegram,
    )
    from bot.db.migrate import upgrade
    from bot.db.session import Database
    from bot.identity.cli import staff_commands
    from bot.supervisor.checks import check_folder

    def open_database() -> Database:
        settings = load_settings()
        check_folder(settings.data)
        database = Database(settings.database)
        # The first account may be made before the first start.
        upgrade(database)
        return database

    app.add_typer(staff_commands(open_database, SystemClock(), lambda: load_settings().address), name="staff")
    audit.add_to(app)
    reminders.add_to(app)
    privacy.add_to(app)
    students.add_to(app)
    bookings.add_to(app)
    buddies.add_to(app)
    desks.add_to(app)
    import_buddies.add_to(app)
    telegram.add_to(app)
    sandbox.add_to(app)
    knowledge.add_to(app)
    evidence.add_to(app)
    return app


def main() -> None:
    """Entry point of the installed command."""
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    # What runs all the time keeps nothing in memory that only the other commands import.
    (app if sys.argv[1:] in (["run"], ["gateway"]) else whole_app())()


if __name__ == "__main__":
    main()
