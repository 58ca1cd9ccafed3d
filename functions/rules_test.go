package functions_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"crypto-ticker/functions"
)

const module = "crypto-ticker"

// goFiles has the parsed Go files of the repository by package folder, relative
// to its root and with slashes.
func goFiles(t *testing.T, mode parser.Mode) map[string]map[string]*ast.File {
	t.Helper()
	packages := map[string]map[string]*ast.File{}
	fset := token.NewFileSet()
	err := filepath.WalkDir("..", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() && (name == "testdata" || strings.HasPrefix(name, ".") && name != "..") {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(file) != ".go" {
			return nil
		}
		f, err := parser.ParseFile(fset, file, nil, mode)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel("..", file)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if packages[path.Dir(rel)] == nil {
			packages[path.Dir(rel)] = map[string]*ast.File{}
		}
		packages[path.Dir(rel)][rel] = f
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return packages
}

// TestPackageComments: each package has its comment, in exactly one file. The
// mains of functions have none: their constructors are documented.
func TestPackageComments(t *testing.T) {
	t.Parallel()
	for dir, files := range goFiles(t, parser.ParseComments|parser.PackageClauseOnly) {
		if path.Dir(dir) == "functions" {
			continue
		}
		var with []string
		code := false
		for name, f := range files {
			if !strings.HasSuffix(name, "_test.go") {
				code = true
			}
			if f.Doc != nil && !strings.HasSuffix(name, "_test.go") {
				with = append(with, name)
			}
		}
		if code && len(with) != 1 {
			t.Errorf("%s: package comment in %d files %v; want one", dir, len(with), with)
		}
	}
}

// TestImports: the emulator serves any template, so it knows nothing of this
// application; shared code knows nothing of the functions that use it; and
// nothing but tests needs the emulator.
func TestImports(t *testing.T) {
	t.Parallel()
	forbidden := []struct{ from, to string }{
		{"emulator", "functions"},
		{"emulator", "shared"},
		{"shared", "functions"},
		{"shared", "emulator"},
		{"functions", "emulator"},
	}
	for dir, files := range goFiles(t, parser.ImportsOnly) {
		for name, f := range files {
			for _, spec := range f.Imports {
				to, ours := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), module+"/")
				if !ours {
					continue
				}
				for _, rule := range forbidden {
					test := rule.to == "emulator" && (strings.HasSuffix(name, "_test.go") || strings.HasSuffix(dir, "test"))
					if within(dir, rule.from) && within(to, rule.to) && !test {
						t.Errorf("%s imports %s; %s must not import %s", name, to, rule.from, rule.to)
					}
				}
			}
		}
	}
}

func within(dir, root string) bool { return dir == root || strings.HasPrefix(dir, root+"/") }

// TestFunctionsAreComplete: a function is a constructor in All, a folder with a
// main, and a resource of the template, under one name.
func TestFunctionsAreComplete(t *testing.T) {
	t.Parallel()
	all := slices.Sorted(maps.Keys(functions.All))

	mains, err := filepath.Glob("*/main.go")
	if err != nil {
		t.Fatal(err)
	}
	var folders []string
	for _, m := range mains {
		name := filepath.Dir(m)
		folders = append(folders, name)
		src, err := os.ReadFile(m)
		if err != nil {
			t.Fatal(err)
		}
		call := "functions.Main(functions." + strings.ToUpper(name[:1]) + name[1:] + ")"
		if !strings.Contains(string(src), call) {
			t.Errorf("%s does not call %s", m, call)
		}
	}
	if !slices.Equal(all, folders) {
		t.Errorf("functions in All %v; with a folder %v", all, folders)
	}

	template, err := os.ReadFile("../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var resources []string
	for _, m := range regexp.MustCompile(`(?m)^  (\w+)Function:\n(?:    .*\n)*?      CodeUri: functions/(\w+)/$`).FindAllStringSubmatch(string(template), -1) {
		if strings.ToLower(m[1]) != m[2] {
			t.Errorf("template.yaml: %sFunction has the folder %s", m[1], m[2])
		}
		resources = append(resources, m[2])
	}
	slices.Sort(resources)
	if !slices.Equal(all, resources) {
		t.Errorf("functions in All %v; in template.yaml %v", all, resources)
	}
}

// TestTemplateBeginsWithServerless: sam local start-api decides by the first
// API or function how it reads the template.
func TestTemplateBeginsWithServerless(t *testing.T) {
	t.Parallel()
	template, err := os.ReadFile("../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	first := regexp.MustCompile(`(?m)^    Type: (AWS::(?:Serverless|ApiGateway|ApiGatewayV2)::\w+)$`).FindStringSubmatch(string(template))
	if first == nil || !strings.HasPrefix(first[1], "AWS::Serverless::") {
		t.Errorf("the first API or function is %v; want one of AWS::Serverless", first)
	}
}
