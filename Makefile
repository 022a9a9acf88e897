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

test-faults: $(READY) ## crashes, full disks, killers, lies, fuzzing, in full (about twelve minutes on two cores)
	EVONAS_FAULTS=full $(BIN)/pytest --numprocesses 3 --dist worksteal tests/integration/test_random_instants.py \
		tests/integration/test_same_seed_same_run.py tests/integration/test_damage.py tests/integration/test_retries.py \
		tests/integration/test_two_drivers.py tests/integration/test_code_in_a_search.py tests/integration/test_full_disk.py \
		tests/runtime/test_config_change.py::test_killed_at_every_failpoint_while_it_goes_on_with_a_greater_budget \
		tests/runtime/test_code_in_a_session.py \
		tests/runtime/test_deadline.py::test_killed_at_every_failpoint_of_a_deadline_and_of_the_session_that_goes_on \
		tests/faults/test_killer.py tests/faults/test_fork_server_killed.py tests/faults/test_disk_errors.py tests/faults/test_unreliable_workers.py \
		tests/contracts/test_format.py tests/faults/test_fuzz.py tests/faults/test_output.py tests/faults/test_ctrl_c.py tests/cli/test_init.py tests/test_evolving.py::test_a_real_search tests/faults/test_safety.py::test_nor_where_a_record_names_it \
		tests/faults/test_safety.py::test_a_model_in_the_place_of_the_winners_is_never_opened tests/testing tests/docs/test_readme.py tests/docs/test_training_guide.py tests/docs/test_python_guide.py tests/evaluate/local/test_cgroup.py tests/evaluate/local/test_op_check.py tests/evaluate/local/test_training_check.py \
		tests/integration/test_kinds_of_data.py \
		tests/evaluate/training/test_losses.py tests/evaluate/training/test_training_genes.py tests/evaluate/training/test_fit_training.py tests/runtime/config/test_training_config.py \
		tests/evaluate/local/test_supervision.py tests/evaluate/local/test_real_supervision.py tests/integration/test_folds.py tests/model/test_spaces.py tests/data/test_python_function.py tests/integration/test_picture_runs.py \
		tests/test_guides.py tests/integration/test_encoded_runs.py tests/integration/test_real_runs.py tests/evaluate/training/test_compiled_loop.py tests/evaluate/training/test_accumulation.py tests/integration/test_adopted.py tests/model/test_raw_input.py

test-sklearn: $(READY) ## scikit-learn's own checks on the estimators (about fifteen minutes on two cores)
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

bench-real: $(READY) ## real data sets, the same wall-clock, beside KerasTuner, Optuna and scikit-learn; needs EVONAS_DATA (hours, goes on where it was cut)
	$(BIN)/python -m benchmarks.real

clean: ## remove .venv and caches, keep the runs
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
