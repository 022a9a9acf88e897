# evonas: `make run` and `make test` do everything on a fresh machine with Python 3.11 to 3.13 and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export TF_CPP_MIN_LOG_LEVEL ?= 2
export PIP_DISABLE_PIP_VERSION_CHECK = 1
# Some containers forbid it; the tests start evonas hundreds of times, and each start would compile all of it again.
export PYTHONDONTWRITEBYTECODE =

.DEFAULT_GOAL := help
# No target is a file.
.PHONY: $(shell awk -F ':' '/^[a-z-]+:/ {print $$1}' $(MAKEFILE_LIST))

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## make .venv with the pinned dependencies

$(READY): constraints.txt pyproject.toml scripts/preflight.py
	@command -v $(PYTHON) >/dev/null || { echo "evonas needs Python 3.11 to 3.13; '$(PYTHON)' was not found. Install it, or run: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)"; exit 2; }
	@$(PYTHON) scripts/preflight.py
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing pinned dependencies into $(VENV) (once, about 2.7 GB) ..."
	@$(BIN)/python -m pip install --quiet "pip==26.3"
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable . --group dev
	@touch $@

run: $(READY) ## the main job: evolve a network for scikit-learn's digits (a few minutes)
	@$(BIN)/evonas run configs/digits.yaml

check: $(READY) ## format, lint, types and layers; no tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

test: check ## all checks and all tests (about twenty minutes on two slow cores)
	$(BIN)/pytest --numprocesses 3 --dist worksteal

test-faults: $(READY) ## what make test leaves out or does in a short form: crashes, full disks, killers, fuzzing (half an hour or more)
	EVONAS_FAULTS=full $(BIN)/pytest -m "full or longer" --numprocesses 3 --dist worksteal

test-sklearn: $(READY) ## scikit-learn's own checks on the estimators (about eight minutes on two cores)
	EVONAS_SKLEARN=full $(BIN)/pytest --numprocesses 2 --dist worksteal tests/test_sklearn.py

format: $(READY) ## let ruff format and mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

reading: ## how dense the code is, in numbers
	@$(PYTHON) scripts/reading.py evonas tests benchmarks

mutants: $(READY) ## 150 small faults put into the code: which does no test find? (resumable)
	nice -n 15 $(BIN)/python -m benchmarks.mutants

wheel-test: $(READY) ## build the wheel, install it elsewhere, run `evonas run digits` outside the checkout
	$(BIN)/python benchmarks/wheel.py

bench-unchanged: $(READY) ## one short run of every strategy and config, its record digested (BEFORE=FILE compares)
	$(BIN)/python -m benchmarks.unchanged $(if $(BEFORE),--against $(BEFORE),--write build/unchanged.json)

bench-digits: $(READY) ## seeds 0 to 4 on digits, evolution beside random search (about half an hour)
	$(BIN)/python -m benchmarks.digits

bench-configs: $(READY) ## the smaller configs, five seeds each, beside linear models (about fifteen minutes)
	$(BIN)/python -m benchmarks.configs

bench-schemes: $(READY) ## selection and replacement schemes on digits, five seeds each (about an hour)
	$(BIN)/python -m benchmarks.schemes

bench-kerastuner: $(READY) ## the same faults thrown at KerasTuner and at evonas, side by side (about ten minutes)
	$(BIN)/python -m benchmarks.kerastuner_faults

bench-search: $(READY) ## the strategies on published tables; needs EVONAS_DATA (hours)
	$(BIN)/python -m benchmarks.search

replay-tables: $(READY) ## record 600 trainings on each of four data sets, to search in; needs EVONAS_DATA (hours, goes on where it was cut)
	nice -n 19 $(BIN)/python -m benchmarks.replay_tables

bench-functions: $(READY) ## the strategies on functions whose optimum is known (about half an hour)
	$(BIN)/python -m benchmarks.functions

bench-front: $(READY) ## several objectives on NAS-Bench-201, and a front on digits; needs EVONAS_DATA (about half an hour)
	$(BIN)/python -m benchmarks.front

bench-folds: $(READY) ## how well fitness tells the test score, from one part and from folds; needs EVONAS_DATA (about fifteen minutes)
	$(BIN)/python -m benchmarks.folds

bench-start: $(READY) ## how long `evonas --help` takes
	$(BIN)/python -m benchmarks.start

bench-hangs: $(READY) ## how soon the slot of a hanging worker is free again (about four minutes)
	$(BIN)/python -m benchmarks.hangs

bench-deadlines: $(READY) ## how much longer than its budget of time a run takes; images and tables need EVONAS_DATA (about ten minutes)
	$(BIN)/python -m benchmarks.deadlines

bench-curve-stopping: $(READY) ## what stopping by learning curves saves and misses; LCBench needs EVONAS_DATA (about half an hour)
	$(BIN)/python -m benchmarks.curve_stopping

bench-verdicts: $(READY) ## how often `evonas compare` claims what is not so, simulated (about five minutes)
	$(BIN)/python -m benchmarks.verdicts

bench-scale: $(READY) ## what it costs to read records of 1,000 to 47,000 trials (about an hour)
	$(BIN)/python -m benchmarks.scale

bench-throughput: $(READY) ## the same networks trained by evonas and by KerasTuner in turn; half needs EVONAS_DATA (about eleven minutes)
	$(BIN)/python -m benchmarks.throughput

bench-plan: $(READY) ## what `evonas plan` says beside what five runs then take (a quarter of an hour)
	$(BIN)/python -m benchmarks.plans

bench-real: $(READY) ## real data sets, the same wall-clock, beside KerasTuner, Optuna and scikit-learn; needs EVONAS_DATA (hours, goes on where it was cut)
	$(BIN)/python -m benchmarks.real

bench-trainings: $(READY) ## the default search beside others on real trainings, paired by seed; needs EVONAS_DATA (three hours, goes on where it was cut)
	$(BIN)/python -m benchmarks.trainings

docs: $(READY) ## the site of the docs with its reference, in build/site/html
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --group docs
	@$(BIN)/python scripts/docs_site.py

clean: ## remove .venv and caches, keep the runs
	rm -rf $(VENV) dist build/site .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis
