// Package doctest keeps documents of behaviours true where a machine can: the
// tests that they name exist, and their links lead somewhere and are used.
package doctest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	testName = regexp.MustCompile("`(Test\\w+)`([†‡§¶]?)")
	linkTo   = regexp.MustCompile(`(?m)^\[(.+)\]: https://`)
	linkUse  = regexp.MustCompile("`[^`]*`|\\[([^]]+)\\]([^:]|$)")
)

// Check reads a document in Markdown. A test's name may have a mark behind it,
// which says in which of the folders it is; "" stands for none.
func Check(t *testing.T, file string, folders map[string]string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	doc := string(b)
	checkTests(t, doc, folders)
	checkLinks(t, doc)
}

func checkTests(t *testing.T, doc string, folders map[string]string) {
	t.Helper()
	code := map[string]string{}
	for mark, dir := range folders {
		code[mark] = testCode(t, dir)
	}
	names := testName.FindAllStringSubmatch(doc, -1)
	if len(names) == 0 {
		t.Error("it names no tests")
	}
	for _, name := range names {
		if !strings.Contains(code[name[2]], "func "+name[1]+"(") {
			t.Errorf("%s%s is no test in %q", name[1], name[2], folders[name[2]])
		}
	}
}

func checkLinks(t *testing.T, doc string) {
	t.Helper()
	links := map[string]bool{}
	for _, link := range linkTo.FindAllStringSubmatch(doc, -1) {
		links[link[1]] = false
	}
	for _, use := range linkUse.FindAllStringSubmatch(doc, -1) {
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
