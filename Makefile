# Two commands do everything on a fresh Debian machine with Swift: `make run` and `make test`.
# SPDX-License-Identifier: Apache-2.0

PACKAGES := libncursesw5-dev libopenblas-dev libsixel-dev libpng-dev libjpeg62-turbo-dev zlib1g-dev pkg-config
RELEASE := swift build -c release --static-swift-stdlib -Xlinker --strip-all --product workbench
ARGS ?=
EVENTS ?= 100000
SEED ?= 1

.PHONY: run test fuzz build deps format lint clean help

help: ## What there is to make
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

run: build ## Install what is missing, build, and open the workbench on the shipped models
	@exec "$$($(RELEASE) --show-bin-path)/workbench" $(ARGS)

build: deps ## Build the release program
	$(RELEASE)

test: deps ## Build and run all tests
	swift build --build-tests
	swift test --skip-build

fuzz: build ## Random sessions in an emulated terminal: EVENTS=100000 SEED=1
	swift build --build-tests
	WORKBENCH_FUZZ_EVENTS=$(EVENTS) WORKBENCH_FUZZ_SEED=$(SEED) \
	    WORKBENCH_FUZZ_PROGRAM="$$($(RELEASE) --show-bin-path)/workbench" \
	    swift test --skip-build --filter TerminalFuzzTests

deps: ## Install the Debian packages that are missing
	@missing=""; \
	for package in $(PACKAGES); do \
	    dpkg-query -W -f='$${Status}' $$package 2>/dev/null | grep -q 'install ok installed' \
	        || missing="$$missing $$package"; \
	done; \
	if [ -n "$$missing" ]; then \
	    echo "Installing:$$missing"; \
	    sudo=""; [ "$$(id -u)" = 0 ] || sudo="sudo"; \
	    $$sudo apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $$missing; \
	fi

format: ## Format all Swift files
	swift format --in-place --parallel --recursive Sources Tests Package.swift

lint: ## Check the format
	swift format lint --strict --parallel --recursive Sources Tests Package.swift

clean: ## Remove what was built
	swift package clean
