# `make run` talks with her, `make test` tests her; both set up .venv by themselves and are quick the second time.
PYTHON ?= python3
CORPUS ?= ../shared/data
BIN := .venv/bin

.PHONY: run test test-slow lint bundled clean

run: .venv/run.stamp
	@$(BIN)/ohlora chat

# side by side, a file in one process, whose models are loaded once; what talks to platforms watches the clock: two at most
test: .venv/dev.stamp
	$(BIN)/pytest -n auto --maxprocesses=4 --dist loadfile --ignore=tests/end_to_end
	$(BIN)/pytest tests/end_to_end -n 2 --dist loadfile

test-slow: .venv/dev.stamp
	$(BIN)/pytest -m slow

lint: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# glibc would give every large tensor back to the kernel and fetch it again: half the time of a training step
bundled: export MALLOC_MMAP_MAX_ = 0
bundled: export MALLOC_TRIM_THRESHOLD_ = 4294967296
bundled: .venv/dev.stamp
	$(BIN)/ohlora train bundled --corpus $(CORPUS)

clean:
	rm -rf .venv build

# torch first: an unpinned one would pull gigabytes of CUDA behind other packages
.venv/run.stamp: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check torch==2.13.0
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[local]'
	touch $@

.venv/dev.stamp: .venv/run.stamp
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[local,dev,train]'
	touch $@
