package dynamodb

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"crypto-ticker/emulator/internal/doctest"
)

const documentFile = "../../docs/dynamodb.md"

// document is the table of behaviours.
func document(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(documentFile)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestDocument(t *testing.T) {
	t.Parallel()
	doctest.Check(t, documentFile, map[string]string{"": ".", "†": "../template", "§": "../eventsource", "‡": "../..", "¶": "kv"})
}

// TestDocumentedErrors looks for every error of the service's models.
func TestDocumentedErrors(t *testing.T) {
	t.Parallel()
	_, section, _ := strings.Cut(document(t), "\n## 5. ")
	section, _, _ = strings.Cut(section, "\n## 6. ")
	rows := map[string]bool{}
	for _, row := range regexp.MustCompile(`(?m)^\| ([\w, ]+) \| .`).FindAllStringSubmatch(section, -1) {
		for name := range strings.SplitSeq(row[1], ", ") {
			rows[name] = true
		}
	}
	if len(messageKeys) < 30 {
		t.Errorf("the models have %d errors", len(messageKeys))
	}
	for name := range messageKeys {
		if !rows[name] {
			t.Errorf("%s has no test, and no line that says why", name)
		}
	}
}

// TestDocumentedOperations compares the document's table with the operations of
// the SDK and with those of the engine.
func TestDocumentedOperations(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	documented := map[string]string{}
	for _, row := range regexp.MustCompile(`(?m)^\| (\w+) \| (supported|stored|no)\b`).FindAllStringSubmatch(document(t), -1) {
		documented[row[1]] = row[2]
	}
	client := reflect.TypeFor[*dynamodb.Client]()
	operations := 0
	for i := range client.NumMethod() {
		m := client.Method(i)
		if m.Type.NumIn() != 4 || m.Type.NumOut() != 2 {
			continue // no operation
		}
		operations++
		status := documented[m.Name]
		if status == "" {
			t.Errorf("%s is not documented", m.Name)
		}
		if got, want := b.engine.service.Operations[m.Name] != nil, status != "no"; got != want {
			t.Errorf("%s is %q, but that the engine has it is %v", m.Name, status, got)
		}
		if status == "no" {
			b.wantError(m.Name, `{}`, "UnknownOperation: ")
		}
	}
	if operations != len(documented) {
		t.Errorf("%d operations are documented, the SDK has %d", len(documented), operations)
	}
}
