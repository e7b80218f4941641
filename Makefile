# Every target is a command of the project; plain `make` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
ACCUEIL := .venv/bin/accueil
PYTHON := .venv/bin/python
BABEL := .venv/bin/pybabel
# Four processes of tests, even on two processors: many tests wait, for Telegram's pace and for browsers. What shares an
# engine stays together (tests/plugins/sharing.py).
PARALLEL := -n 4 --dist loadscope --no-loadscope-reorder
LANGUAGES := fr es pt uk ar zh

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /  make \1\t/' | expand -t 18

.PHONY: setup
setup: ## Install both environments (quick when nothing changed)
	@scripts/setup

.PHONY: run
run: setup ## Start Accueil and print its addresses; Ctrl-C stops everything
	@$(ACCUEIL) run

.PHONY: train
train: setup ## Train the model when its inputs changed
	@$(ACCUEIL) train

.PHONY: test
test: setup ## Train when needed, then run every test; ARGS="-k visa" chooses
	@$(ACCUEIL) train
	@$(PYTHON) -m pytest $(PARALLEL) $(ARGS)

.PHONY: check
check: setup ## Style, types, import layers, catalogues, content
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy
	@.venv/bin/lint-imports
	@$(ACCUEIL) i18n-check
	@$(ACCUEIL) check-content --today "$$(git log -1 --format=%cs 2>/dev/null || date +%F)"

.PHONY: proof
proof: setup ## The long measurements whose figures the README quotes
	@$(ACCUEIL) train
	@$(ACCUEIL) bench start
	@$(ACCUEIL) bench turn --own --turns 300
	@$(ACCUEIL) bench buddies --instances 10000
	@printf '%s\n' 1 2 | xargs -P 2 -I {} env ACCUEIL_STATE_EXAMPLES=5000 \
		$(PYTHON) -m pytest -q -p no:cacheprovider --hypothesis-seed={} tests/integration/assistant/test_turn_states.py
	@$(ACCUEIL) bench inbox --conversations 2000 --messages 200000
	@if [ -n "$$ACCUEIL_BENCH_POSTGRESQL_URL" ]; then \
		$(ACCUEIL) bench inbox --conversations 2000 --messages 1000000 --database-url "$$ACCUEIL_BENCH_POSTGRESQL_URL"; \
	else echo "Without ACCUEIL_BENCH_POSTGRESQL_URL (an empty database) the inbox is not measured on PostgreSQL."; fi
	@ACCUEIL_EVERY_SCREEN=1 $(PYTHON) -m pytest -q tests/e2e/test_every_page_of_the_console.py
	@ACCUEIL_RACES=200 $(PYTHON) -m pytest -q -s tests/e2e/test_the_inbox.py -k press_at_once
	@$(PYTHON) -m tests.e2e.storm --messages 10000 --chats 200 --rate 6 --kill-every 20 --faults
	@$(PYTHON) -m tests.e2e.storm --messages 6000 --chats 200 --rate 20

.PHONY: i18n
i18n: setup ## Extract the interface strings and bring the catalogues up to date
	@for mapping in babel babel-students; do \
		$(BABEL) -q extract -F $$mapping.cfg -k say:2 -k say_n:2,3 -k mark --no-location --sort-output --omit-header \
			--width=100 -o .tools/$$mapping.pot . || exit 1; \
	done
	@for language in $(LANGUAGES); do \
		if [ $$language = fr ]; then mapping=babel; else mapping=babel-students; fi; \
		if [ -f bot/locale/$$language/LC_MESSAGES/messages.po ]; \
		then action="update --no-fuzzy-matching --ignore-obsolete --width=100 --ignore-pot-creation-date"; else action=init; fi; \
		$(BABEL) -q $$action -i .tools/$$mapping.pot -d bot/locale -l $$language || exit 1; \
	done

.PHONY: clean
clean: ## Remove environments, caches and the data folder var/ (asks first)
	@read -r -p "Remove .venv, nlu/.venv, .tools, caches and all data in var/? [y/N] " answer && [ "$$answer" = y ]
	rm -rf .venv nlu/.venv .tools var .rasa *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
