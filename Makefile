# Two commands: `make demo` runs the whole story, `make test` proves it. Both install what is missing first.
ARGS ?=
PYTEST_ARGS ?=
.PHONY: demo test check shots setup setup-test lock clean

demo: setup
	@exec .venv/bin/yinxu demo $(ARGS)

test: setup-test
	.venv/bin/python -m pytest -n 2 $(PYTEST_ARGS)

check: setup
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/pyright
	.venv/bin/lint-imports
	.venv/bin/python scripts/check-templates

shots: setup-test
	.venv/bin/yinxu shots $(ARGS)

setup:
	@scripts/bootstrap demo

setup-test:
	@scripts/bootstrap test

lock:
	.venv/bin/uv pip compile --group dev pyproject.toml --universal --python-version 3.11.2 --generate-hashes --no-annotate --no-header -q -o requirements.lock

clean:
	rm -rf .venv node_modules app/web/static/dist var shots
