export CGO_ENABLED ?= 0
export GOFLAGS := -trimpath -buildvcs=false -tags=lambda.norpc -ldflags=-s# for all, so that they share what is compiled
ADDR ?= 127.0.0.1:8081
AWS_ADDR ?= 127.0.0.1:8082
DATA ?= .data
ARCH ?= arm64
FUZZTIME ?= 50000x
help: ## show this
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t13
run: ## run everything on this machine (ADDR, AWS_ADDR, DATA)
	@go build -o bin/emulator ./emulator/cmd/emulator
	@exec bin/emulator -template template.yaml -addr "$(ADDR)" -aws-addr "$(AWS_ADDR)" -data "$(DATA)" -map /ws/ticker=TickerSocket \
		-parameter DeliveryInterval=10ms -parameter MaxPostsPerSecond=8000 -parameter TickerMemory=2048 -invoke 'KeysFunction={"action":"demo"}'
test: ## run the tests, most of whose time is waiting
	@go test -parallel 8 ./...
race: ## run the tests with the race detector (needs a C compiler)
	@CGO_ENABLED=1 go test -race -parallel 8 ./...
cover: ## tell how much of the code the tests reach
	@mkdir -p bin && go test -coverpkg=./... -coverprofile=bin/cover.out ./... && go tool cover -func=bin/cover.out | tail -1
fuzz: ## fuzz each parser for FUZZTIME, runs or a time
	@grep -rHo '^func Fuzz[A-Za-z0-9_]*' --include='*_test.go' . | sed 's/:func / /' | while read -r file name; do \
		go test -run='^$$' -fuzz="^$$name\$$" -fuzztime=$(FUZZTIME) -fuzzminimizetime=1x "$$(dirname "$$file")" || exit 1; done
bench: ## measure it under load
	@go run ./bench
lint: validate ## check form, types and template
	@test -z "$$(gofmt -l .)" || { gofmt -d .; exit 1; }
	@go vet ./... && go mod tidy -diff && go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
validate: ## check template.yaml and what SAM makes of it (needs python3)
	@.ci/venv && .venv/bin/python .ci/validate.py template.yaml
conformance: ## compare our DynamoDB with Amazon's DynamoDB Local (needs Java and Maven)
	@.ci/conformance
build: ## build each function as sam build does, into bin/functions (ARCH: arm64 or amd64)
	@for main in functions/*/main.go; do name=$$(basename "$$(dirname "$$main")"); \
		GOOS=linux GOARCH=$(ARCH) go build -o "bin/functions/$$name/bootstrap" "./functions/$$name" || exit 1; done
deploy: ## deploy to AWS (needs the SAM CLI 1.158 or later)
	@sam build && sam deploy
clean: ## remove what was built, and the local data
	@rm -rf bin .aws-sam .venv "$(DATA)"
.PHONY: help run test race cover fuzz bench lint validate conformance build deploy clean
