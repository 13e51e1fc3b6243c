# `make` alone prints this file's targets.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c

GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.12.0
GOFLAGS  := -trimpath
export GOFLAGS

# Under the race detector, but for what hashes passwords: it shares nothing, and
# would take thirteen times as long. test/shop builds the program like this, too.
RACE    := -race -gcflags=golang.org/x/crypto/blowfish=-race=false
# The program that the tests run, linked once for all of them.
PROGRAM := $(CURDIR)/bin/ordergraph-race

.PHONY: help run build web test test-mongo lint generate bench bench-after bench-live bench-store bench-web clean

help: ## Print what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  \033[1m%-12s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

bin/ordergraph: FORCE
	@$(MAKE) --no-print-directory --keep-going web || echo "warning: no storefront at / or no playground at /playground, for the reason above; everything else works. Later: make web build" >&2
	@if test -x $@; then go build -o $@ ./cmd/ordergraph; else \
	  echo "Building ordergraph. The first time, Go downloads and compiles its libraries: a few minutes."; \
	  go build -v -o $@ ./cmd/ordergraph 2>&1 | awk '/^go: downloading/ {d++; printf "\r%d modules downloaded ", d; fflush(); next} \
	    /^[A-Za-z0-9_.~\/-]+$$/ {c++; printf "\r%d packages compiled  ", c; fflush(); next} {print} END {print ""}'; fi
FORCE:

# The file stays as it is while the program does, in all commits: go build would
# give it a new time, and go test keeps results by that.
bin/ordergraph-race: FORCE
	@go build $(RACE) -buildvcs=false -o bin/race/ordergraph ./cmd/ordergraph
	@cmp -s bin/race/ordergraph $@ || { cp bin/race/ordergraph $@.new; mv $@.new $@; }

build: bin/ordergraph ## Build bin/ordergraph

run: bin/ordergraph ## Run the whole shop in one process, with nothing else installed
	@exec bin/ordergraph serve

web: web/site/dist/index.html web/playground/dist/index.html ## Build what browsers get out of bin/ordergraph: the storefront and the playground (needs Node)
	@:

web/site/dist/index.html: $(wildcard web/site/*.*) web/site/build $(shell find web/site/src -type f -not -name gql.ts) $(wildcard schema/*.graphqls)
	@web/site/build

web/playground/dist/index.html: $(wildcard web/playground/*.*) web/playground/build $(shell find web/playground/src -type f)
	@web/playground/build

test: ## Vet, generated code, unit, contract and journey tests under -race: what CI wants to see besides lint and test-mongo
	go vet ./...
	./test/generated
	./test/need
	$(MAKE) --no-print-directory web
	$(MAKE) --no-print-directory bin/ordergraph-race
	ORDERGRAPH_PROGRAM='$(PROGRAM)' ORDERGRAPH_REQUIRE_REDIS=1 ORDERGRAPH_REQUIRE_NODE=1 ORDERGRAPH_REQUIRE_BROWSER=1 ORDERGRAPH_REQUIRE_POPPLER=1 go test $(RACE) -timeout 14m ./...

test-mongo: bin/ordergraph-race ## The store's contract and the journeys against a MongoDB server: MONGODB_URI, mongod, or mongo-java-server
	@go run ./test/mongoserver/show
	ORDERGRAPH_PROGRAM='$(PROGRAM)' ORDERGRAPH_REQUIRE_MONGO=1 go test $(RACE) -count=1 -timeout 20m -run 'Mongo' ./platform/docstore/... ./platform/events ./test/...

lint: ## Linters with their reasons in .golangci.yaml, import rules, known vulnerabilities
	@# A cache of its own: findings are kept with the path they were made at, and rules that go by path miss those of another checkout.
	GOLANGCI_LINT_CACHE=$(CURDIR)/bin/lint-cache go run $(GOLANGCI) run ./...
	./test/vulnerabilities

generate: ## Generate code again: GraphQL (gqlgen) and gRPC (protoc)
	go tool gqlgen generate
	./test/protoc

bench: bin/ordergraph ## Print operations per second, p50, p99, errors, CPU and memory of the purchase path
	go run ./test/load -server bin/ordergraph

bench-after: bin/ordergraph ## Print how fast invoices and mails follow orders, what they cost, and how throughput grows with workers
	go run ./test/after -server bin/ordergraph

bench-live: bin/ordergraph test/live/node/node_modules ## Print what 10,000 live sockets take: memory, delays, all told at once; beside graphql-ws on Node
	go run ./test/live -server bin/ordergraph

test/live/node/node_modules: test/live/node/package-lock.json
	@if command -v npm >/dev/null; then cd test/live/node && npm ci --no-audit --no-fund && touch node_modules; fi

bench-web: bin/ordergraph test/storefront/node_modules ## Print what the storefront's pages are like in a browser: paint, shifts, scripts; fails when scripts are over 150 KB
	go run ./test/storefront/bench -server bin/ordergraph

test/storefront/node_modules: test/storefront/package-lock.json
	@cd test/storefront && npm ci --no-audit --no-fund && touch node_modules

bench-store: ## Print what the local store does, and what it costs with 1,000 and 200,000 documents
	go test -run xxx -bench . -benchtime 2s ./platform/docstore/docstorelocal
	go test -run xxx -bench Scale -benchtime 1x ./platform/docstore/docstorelocal

clean: ## Remove what was built; the shop's data stays
	rm -rf bin
