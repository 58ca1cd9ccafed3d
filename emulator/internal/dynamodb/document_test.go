package dynamodb

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// document is the table of behaviours.
func document(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../docs/dynamodb.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestDocument keeps the document true where a machine can: the tests that it
// names exist, and its links lead somewhere and are used.
func TestDocument(t *testing.T) {
	t.Parallel()
	doc := document(t)
	names := regexp.MustCompile("`(Test\\w+)`([†‡§]?)").FindAllStringSubmatch(doc, -1)
	if len(names) == 0 {
		t.Error("it names no tests")
	}
	code := map[string]string{"": testCode(t, "."), "†": testCode(t, "../template"), "§": testCode(t, "../eventsource"), "‡": testCode(t, "../..")}
	for _, name := range names {
		if !strings.Contains(code[name[2]], "func "+name[1]+"(") {
			t.Errorf("%s%s is no test", name[1], name[2])
		}
	}
	links := map[string]bool{}
	for _, link := range regexp.MustCompile(`(?m)^\[(.+)\]: https://`).FindAllStringSubmatch(doc, -1) {
		links[link[1]] = false
	}
	for _, use := range regexp.MustCompile("`[^`]*`|\\[([^]]+)\\]([^:]|$)").FindAllStringSubmatch(doc, -1) {
		if use[1] == "" {
			continue
		}
		if _, ok := links[use[1]]; !ok {
			t.Errorf("[%s] is no link", use[1])
		}
		links[use[1]] = true
	}
	for name, used := range links {
		if !used {
			t.Errorf("[%s] is not used", name)
		}
	}
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

// testCode is the text of a folder's tests.
func testCode(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	return all.String()
}
