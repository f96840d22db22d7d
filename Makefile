# `make demo` and `make test` install what they need; see CONTRIBUTING.md.

GO      ?= go
BIN      = bin/lockbench
TOOLS    = honnef.co/go/tools/cmd/staticcheck gotest.tools/gotestsum
# Of one package's tests. All together take about ten minutes on two cores, and three times that on a slow machine.
TIMEOUT ?= 20m
# More flags for the run of `make demo`: make demo RUN='--driver etcd --seed 7'.
RUN     ?=

# -race where this machine can build with it: that needs a C compiler. Vet, staticcheck and the tests all build with
# it, so that everything is compiled only once.
RACE ?= $(shell $(GO) build -race runtime/cgo 2>/dev/null && echo -race)

# safe.directory: the checkout may belong to somebody else (a container's mount).
GIT     = git -c safe.directory='$(CURDIR)'
LDFLAGS = -X main.version=$(shell $(GIT) describe --tags --always --dirty 2>/dev/null) \
          -X main.commit=$(shell $(GIT) rev-parse HEAD 2>/dev/null)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test test-long attack mutate bench record build man release lint fmt setup try-setup tools unit cross clean

help: ## print this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

demo: try-setup build ## compare six locks under a network partition, on real servers
	@begin=$$(date +%s); status=0; \
	$(BIN) run --scenario partition $(RUN) || status=$$?; \
	took="took $$(($$(date +%s) - begin)) s"; \
	case $$status in \
	0) echo "demo: $$took; every verdict is what the scenario expects." ;; \
	1) echo "demo: $$took; violations were found, and finding them is what lockbench is for." ;; \
	3) echo "demo: $$took; some of it did not run or shows too little to tell: the table says what and why." ;; \
	*) echo "demo: $$took and failed: lockbench ended with exit code $$status." >&2; exit $$status ;; \
	esac

# What `make test` installs beside the servers: the browser that its tests open pages in.
test test-long: NEEDED = tests

test: $(if $(CI),setup,try-setup) lint unit ## set up, then check the code and run all tests

test-long: TIMEOUT = 30m
test-long: TAGS = -tags long
test-long: MUTANTS = 40
test-long: LEAST = 80
test-long: $(if $(CI),setup,try-setup) lint cross unit attack mutate ## the same, with the tests that take longer, and attacks

attack: try-setup build ## attack runs: kills at many moments, full disks, strangers; print what became of them
	@$(GO) run ./internal/tools/attack $(BIN)

# How many mutants, at random; 0: all, which takes hours. LEAST is how many percent of them must be caught. Of a few
# that is less: chance decides which they are.
MUTANTS ?= 0
LEAST   ?= 95
mutate: ## break the checker in one place at a time: its tests must notice
	$(GO) run ./internal/tools/mutate -n $(MUTANTS) -least $(LEAST) -known internal/tools/mutate/checker.txt checker

bench: try-setup build ## run all benchmarks, compare each lock with a bare client, then the demo for its wall time
	$(GO) test -run '^$$' -bench . -benchmem ./...
	$(GO) run ./internal/tools/overhead
	@$(MAKE) demo

# One shard: make record SHARD=client-pause. What is done is kept in results/record and not run again.
SHARD ?=
record: try-setup ## run the schedules that break locks again, and those that must not; write docs/record.md
	@$(GO) build -buildvcs=false -o bin/record ./internal/tools/record
	@bin/record -commit '$(shell $(GIT) describe --always --dirty 2>/dev/null)' $(SHARD)

build: ## build bin/lockbench
	@$(GO) build -buildvcs=false -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/lockbench

man: ## write man pages and completions for four shells into bin/man and bin/completions
	@SOURCE_DATE_EPOCH=$$($(GIT) log -1 --format=%ct 2>/dev/null) $(GO) test ./cmd/lockbench -count=1 -run '^TestManPages$$' -man '$(CURDIR)/bin'

# Some platforms only: make release PLATFORMS='linux/amd64 windows/amd64'.
PLATFORMS ?=
release: ## make a release of the commit in bin/release: reproducible binaries, checksums, a bill of materials
	@$(GO) run ./internal/tools/release bin/release $(PLATFORMS)

lint: tools ## gofmt, go vet, staticcheck
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { echo "not formatted, run make fmt:"; echo "$$unformatted"; exit 1; } >&2
	@$(GO) vet $(RACE) ./...
	@GOFLAGS="$$GOFLAGS $(RACE)" bin/staticcheck ./...

fmt: ## format the code
	gofmt -w .

setup: ## install the servers that are missing and the tests' browser, or say what to install
	@sh internal/setup/install.sh tests

clean: ## remove what was built; measurements in results/ stay
	rm -rf bin

try-setup:
	@sh internal/setup/install.sh $(NEEDED) || { status=$$?; [ $$status -lt 128 ] || exit $$status; \
	echo '*** GOING ON WITHOUT WHAT IS LISTED ABOVE: what needs it is shown as "not run" or "skipped", and is not proven ***'; } >&2

tools:
	@GOBIN='$(CURDIR)/bin' $(GO) install -modfile=internal/tools/pinned/go.mod $(TOOLS)

unit: tools
	@race='$(RACE)'; \
	[ -n "$$race" ] || echo '*** NO RACE DETECTOR: it needs a C compiler (gcc and libc6-dev on Debian); the tests run without ***' >&2; \
	status=0; \
	bin/gotestsum --format pkgname --format-hide-empty-pkg --jsonfile bin/test.json -- \
		$$race $(TAGS) -vet=off -count=1 -timeout $(TIMEOUT) ./... || status=$$?; \
	$(GO) run ./internal/tools/testskips bin/test.json || [ $$status -ne 0 ] || status=1; \
	exit $$status

# Everything must compile where servers cannot run, too: check and report work there.
cross:
	GOOS=darwin $(GO) vet ./...
	GOOS=windows $(GO) vet ./...
	GOOS=darwin GOARCH=arm64 CGO_ENABLED=0 $(GO) build -o /dev/null ./cmd/lockbench
	GOOS=windows CGO_ENABLED=0 $(GO) build -o /dev/null ./cmd/lockbench
