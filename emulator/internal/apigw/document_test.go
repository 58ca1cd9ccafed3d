package apigw

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocument keeps the table of behaviours true where a machine can: the tests
// that it names exist, and its links lead somewhere and are used.
func TestDocument(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../docs/apigateway.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(b)
	names := regexp.MustCompile("`(Test\\w+)`([†‡]?)").FindAllStringSubmatch(doc, -1)
	if len(names) == 0 {
		t.Error("it names no tests")
	}
	for _, name := range names {
		dir := map[string]string{"": ".", "†": "../template", "‡": "../.."}[name[2]]
		if !strings.Contains(testCode(t, dir), "func "+name[1]+"(") {
			t.Errorf("%s is no test in %s", name[1], dir)
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
