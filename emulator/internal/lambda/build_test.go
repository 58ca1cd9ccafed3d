package lambda

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"crypto-ticker/emulator/internal/template"
)

// writeModule makes a Go module of files, given as name, content, …
func writeModule(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	files = append(files, "go.mod", "module example.com/app\n\ngo 1.26\n")
	for i := 0; i < len(files); i += 2 {
		name := filepath.Join(dir, files[i])
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(files[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestBuildErrors(t *testing.T) {
	t.Parallel()
	dir := writeModule(t,
		"good/main.go", "package main\n\nfunc main() {}\n",
		"broken/main.go", "package main\n\nfunc main() { undefined() }\n",
		"syntax/main.go", "package main\n\nfunc main( {}\n",
		"viashared/main.go", "package main\n\nimport _ \"example.com/app/shared\"\n\nfunc main() {}\n",
		"shared/shared.go", "package shared\n\nvar x int = \"\"\n",
		"library/library.go", "package library\n",
		"python/app.py", "",
		"mode/bootstrap", "#!/bin/sh\n",
	)
	nowhere := t.TempDir()
	if err := os.WriteFile(filepath.Join(nowhere, "main.go"), []byte("package main\nfunc main() {}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		dir  string
		want []string
		not  string
	}{
		{"broken", []string{"go build of Bad (template.yaml:7): exit status 1", "broken/main.go:3:15: undefined: undefined"}, "Good"},
		{"syntax", []string{"Bad (template.yaml:7)", "syntax/main.go:3:"}, "Good"},
		{"viashared", []string{"go build of Good (template.yaml:7), Bad (template.yaml:7)", "shared/shared.go:3:"}, ""},
		{"library", []string{"template.yaml:7: Bad: CodeUri " + dir + "/library holds package library; a function is a package main"}, ""},
		{"python", []string{"template.yaml:7: Bad: CodeUri " + dir +
			"/python, of Runtime python3.12, has neither Go files nor an executable named bootstrap; the emulator runs Go functions and ready bootstrap executables"}, ""},
		{"mode", []string{"neither Go files nor an executable named bootstrap"}, ""},
		{"missing", []string{"template.yaml:7: Bad: CodeUri " + dir + "/missing is not a folder"}, ""},
		{nowhere, []string{"is in no Go module: no go.mod there or above"}, ""},
	} {
		t.Run(filepath.Base(tt.dir), func(t *testing.T) {
			t.Parallel()
			if !filepath.IsAbs(tt.dir) {
				tt.dir = filepath.Join(dir, tt.dir)
			}
			bad := define("Bad", tt.dir)
			if filepath.Base(tt.dir) == "python" {
				bad.Runtime = "python3.12"
			}
			s, err := New(Config{BuildDir: t.TempDir(), Functions: tableOf(
				define("Good", filepath.Join(dir, "good")), bad)})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			err = s.Build(t.Context())
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %v\nwant %s", err, want)
				}
			}
			if tt.not != "" && strings.Contains(err.Error(), tt.not) {
				t.Errorf("%v\nnames %s, which is not to blame", err, tt.not)
			}
			if _, err := s.Invoke(t.Context(), "Good", nil); err == nil || !strings.Contains(err.Error(), "Good is not built") {
				t.Errorf("invoke: got %v, want: is not built", err)
			}
		})
	}
}

// Two folders of one base name, and a module of its own, in one template.
func TestBuildNamesThatClash(t *testing.T) {
	t.Parallel()
	own := writeModule(t, "app/main.go", "package main\n\nfunc main() { println(\"from its own module\") }\n")
	r := startConfig(t, Config{BuildDir: filepath.Join(testDir, "build"), Functions: tableOf(
		define("One", "testdata/clash/one/app"),
		define("Two", "testdata/clash/two/app"),
		define("Same", "testdata/clash/one/app"),
		define("Own", filepath.Join(own, "app")),
	)})
	for name, want := range map[string]string{"One": `"one"`, "Two": `"two"`, "Same": `"one"`} {
		out, err := r.Invoke(t.Context(), name, []byte(`{}`))
		if err != nil || string(out) != want {
			t.Errorf("%s: got %s, %v, want %s", name, out, err, want)
		}
	}
	r.failure(t, "Own", `{}`)
	eventually(t, "the other module's output", func() bool { return strings.Contains(r.out.String(), "Own | from its own module\n") })
}

func TestExecutableName(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"example.com/app/token": "token", "example.com/app/v2": "app", "example.com/app/x/v10": "x", "app": "app", "v2": "v2",
	} {
		if got := strings.TrimSuffix(executable(path), ".exe"); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}

// Emulators that build into one folder at once do not disturb each other, and
// what they leave is removed.
func TestBuildInOneFolder(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	stale := filepath.Join(root, "run-1") // of an emulator that was killed
	if err := os.Mkdir(stale, 0o755); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			r := startConfig(t, Config{BuildDir: root, Functions: tableOf(define("Echo", "testdata/functions/echo"))})
			r.echo(t, `{}`)
			r.Close()
		})
	}
	wg.Wait()
	if left, _ := filepath.Glob(filepath.Join(root, "run-*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A second Build puts new binaries into service without harm to a function
// that is at work.
func TestBuildAgain(t *testing.T) {
	t.Parallel()
	const main = "package main\n\nimport (\n\"io\"\n\"net/http\"\n\"os\"\n\"strings\"\n)\n\nfunc main() {\n" +
		"api := \"http://\" + os.Getenv(\"AWS_LAMBDA_RUNTIME_API\") + \"/2018-06-01/runtime/invocation/\"\n" +
		"for {\nres, err := http.Get(api + \"next\")\nif err != nil { panic(err) }\nio.Copy(io.Discard, res.Body)\n" +
		"http.Post(api + res.Header.Get(\"Lambda-Runtime-Aws-Request-Id\") + \"/response\", \"\", strings.NewReader(\"VERSION\"))\n}\n}\n"
	dir := writeModule(t, "app/main.go", strings.Replace(main, "VERSION", "1", 1))
	r := startConfig(t, Config{BuildDir: t.TempDir(), Functions: tableOf(define("App", filepath.Join(dir, "app")))})
	invoke := func(want string) {
		t.Helper()
		out, err := r.Invoke(t.Context(), "App", []byte(`{}`))
		if err != nil || string(out) != want {
			t.Fatalf("got %s, %v, want %s", out, err, want)
		}
	}
	invoke("1")
	if err := os.WriteFile(filepath.Join(dir, "app/main.go"), []byte(strings.Replace(main, "VERSION", "2", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	invoke("1")
	if err := r.Build(t.Context()); err != nil {
		t.Fatal(err)
	}
	invoke("2")
	eventually(t, "the old process to end", func() bool { return processCount(r) == 1 })
}

func TestBuildEnds(t *testing.T) {
	t.Parallel()
	s, err := New(Config{BuildDir: t.TempDir(), Functions: tableOf(define("Echo", "testdata/functions/echo"))})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Build(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestBuildRoot(t *testing.T) {
	t.Parallel()
	at := func(file string) string {
		s, err := New(Config{Functions: tableOf(echo(func(f *template.Function) { f.Pos.File = file }))})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		return s.buildRoot()
	}
	if at("/a/template.yaml") != at("/a/other.yaml") || at("/a/template.yaml") == at("/b/template.yaml") {
		t.Error("the build folder is not one for each template folder")
	}
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if at("template.yaml") != at(filepath.Join(wd, "template.yaml")) || at("template.yaml") == at("../template.yaml") {
		t.Error("the build folder depends on how the template's path is given")
	}
}

func TestPrune(t *testing.T) {
	t.Parallel()
	cache := t.TempDir()
	used := func(name string, ago time.Duration) string {
		root := filepath.Join(cache, name)
		b := new(builder)
		if err := b.open(root); err != nil {
			t.Fatal(err)
		}
		if name != "running" {
			b.close()
		} else {
			t.Cleanup(b.close)
		}
		at := time.Now().Add(-ago)
		if err := os.Chtimes(filepath.Join(root, "lock"), at, at); err != nil {
			t.Fatal(err)
		}
		return root
	}
	for root, want := range map[string]bool{
		used("recent", unused-time.Hour): true, used("old", unused+time.Hour): false, used("running", unused+time.Hour): true,
	} {
		prune(cache)
		if _, err := os.Stat(root); (err == nil) != want {
			t.Errorf("%s: got %v, want it kept: %t", filepath.Base(root), err, want)
		}
	}
}

// A start that waits for the lock of what is just being pruned makes it anew, and
// whoever pruned with that lock leaves the new one alone.
func TestStartWhilePruned(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "root")
	for range 200 {
		var pruning sync.WaitGroup
		for range 2 {
			pruning.Go(func() { pruneRoot(root) })
		}
		b := new(builder)
		err := b.open(root)
		pruning.Wait()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(b.own, "lock")); err != nil {
			t.Error(err)
		}
		b.close()
	}
}

// BenchmarkBuild is a build of what is up to date.
func BenchmarkBuild(b *testing.B) {
	r := startConfig(b, Config{BuildDir: b.TempDir(), Functions: tableOf(define("Echo", "testdata/functions/echo"))})
	for b.Loop() {
		if err := r.Build(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// TestInspectWithTags finds a main that only GOFLAGS lets in.
func TestInspectWithTags(t *testing.T) { // not parallel: it sets a variable
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module m\n", "main.go": "//go:build extra\n\npackage main\n\nfunc main() {}\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f := &function{def: &template.Function{CodeDir: dir}}
	for flags, want := range map[string]bool{
		"": false, "-tags=extra": true, "-trimpath '-tags=a,extra'": true, "--tags=extra": true, "-tags=extra -tags=a": false,
	} {
		t.Setenv("GOFLAGS", flags)
		if p, _, err := inspect(f); (p != nil) != want {
			t.Errorf("%q: got %v and error %v", flags, p, err)
		}
	}
}
