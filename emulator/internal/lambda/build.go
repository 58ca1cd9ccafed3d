package lambda

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	gobuild "go/build"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"
)

// program is a function to be built.
type program struct {
	f       *function
	module  string // the folder of go.mod
	pattern string // the package, relative to module
	output  string // the name that go build gives the binary
	path    string // the import path
}

// Build builds all functions that run as processes, with one go build for each
// Go module, for this machine. A function whose folder has an executable
// bootstrap and no Go files is taken as it is. After a second Build, new
// instances run the new binaries. An error carries the compiler's own words and
// the function's place in the template.
func (s *Service) Build(ctx context.Context) error {
	s.builder.mu.Lock()
	defer s.builder.mu.Unlock()
	var modules []string
	programs := make(map[string][]*program)
	ready := make(map[*function]string)
	var errs []error
	for _, f := range s.order {
		if f.handler != nil {
			continue
		}
		p, bootstrap, err := inspect(f)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("lambda: %s: %s: %w", f.def.Pos, f.def.LogicalID, err))
		case p == nil:
			ready[f] = bootstrap
		default:
			if programs[p.module] == nil {
				modules = append(modules, p.module)
			}
			programs[p.module] = append(programs[p.module], p)
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	if len(modules) > 0 {
		if err := s.builder.open(s.buildRoot()); err != nil {
			return fmt.Errorf("lambda: build folder: %w", err)
		}
		if s.cfg.BuildDir == "" && !s.builder.temp {
			prune(filepath.Dir(s.builder.root))
		}
		if err := s.builder.build(ctx, modules, programs, ready); err != nil {
			return err
		}
	}
	for f, binary := range ready {
		f.use(binary)
	}
	return nil
}

// inspect tells how a function is built, or which executable it brings.
func inspect(f *function) (*program, string, error) {
	dir := f.def.CodeDir
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, "", fmt.Errorf("CodeUri %s is not a folder", dir)
	}
	build := gobuild.Default
	build.BuildTags = tagsOf(os.Getenv("GOFLAGS"))
	pkg, err := build.ImportDir(dir, 0)
	if noGo := new(gobuild.NoGoError); errors.As(err, &noGo) {
		bootstrap := filepath.Join(dir, "bootstrap")
		if info, err := os.Stat(bootstrap); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return nil, bootstrap, nil
		}
		return nil, "", fmt.Errorf("CodeUri %s, of Runtime %s, has neither Go files nor an executable named bootstrap; the emulator runs Go functions and ready bootstrap executables",
			dir, f.def.Runtime)
	}
	if pkg == nil || pkg.Name == "" {
		return nil, "", fmt.Errorf("CodeUri %s: %w", dir, err)
	}
	if pkg.Name != "main" {
		return nil, "", fmt.Errorf("CodeUri %s holds package %s; a function is a package main", dir, pkg.Name)
	}
	module, modPath, err := findModule(dir)
	if err != nil {
		return nil, "", err
	}
	rel, err := filepath.Rel(module, dir)
	if err != nil {
		return nil, "", err
	}
	p := &program{f: f, module: module, pattern: "./" + filepath.ToSlash(rel)}
	p.path = path.Join(modPath, filepath.ToSlash(rel))
	p.output = executable(p.path)
	return p, "", nil
}

// tagsOf returns the build tags in GOFLAGS, which go build will heed.
func tagsOf(goflags string) (tags []string) {
	for _, f := range strings.Fields(goflags) {
		name, value, _ := strings.Cut(strings.Trim(f, `'"`), "=")
		if name == "-tags" || name == "--tags" { // the last one counts
			tags = strings.Split(value, ",")
		}
	}
	return tags
}

var modLine = regexp.MustCompile(`(?m)^\s*module\s+"?([^\s"]+)`)

// findModule looks upward for a go.mod; it returns its folder and the module's
// path.
func findModule(dir string) (string, string, error) {
	for at := dir; ; at = filepath.Dir(at) {
		text, err := os.ReadFile(filepath.Join(at, "go.mod"))
		if errors.Is(err, fs.ErrNotExist) {
			if at != filepath.Dir(at) {
				continue
			}
			return "", "", fmt.Errorf("CodeUri %s is in no Go module: no go.mod there or above", dir)
		}
		if err != nil {
			return "", "", err
		}
		m := modLine.FindSubmatch(text)
		if m == nil {
			return "", "", fmt.Errorf("%s names no module", filepath.Join(at, "go.mod"))
		}
		return at, string(m[1]), nil
	}
}

var version = regexp.MustCompile(`^v[0-9]+$`)

// executable is the name that go build gives a package's binary.
func executable(importPath string) string {
	name := path.Base(importPath)
	if dir := path.Dir(importPath); version.MatchString(name) && dir != "." {
		name = path.Base(dir)
	}
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return name
}

// build builds the programs of all modules and notes in ready where each is.
func (b *builder) build(ctx context.Context, modules []string, programs map[string][]*program, ready map[*function]string) error {
	unlock, err := lockFile(filepath.Join(b.root, "lock"))
	if err != nil {
		return fmt.Errorf("lambda: build folder: %w", err)
	}
	defer unlock()
	b.sweep()
	for _, module := range modules {
		for i, batch := range batches(programs[module]) {
			key := sha256.Sum256(fmt.Append(nil, module, i))
			bin := filepath.Join(b.root, "bin", hex.EncodeToString(key[:4]))
			if err := compile(ctx, module, bin, batch); err != nil {
				return err
			}
			for _, p := range batch {
				if ready[p.f], err = b.link(filepath.Join(bin, p.output), p); err != nil {
					return fmt.Errorf("lambda: %s: %w", p.f.def.LogicalID, err)
				}
			}
		}
	}
	return nil
}

// batches splits programs so that none has two binaries of one name, which one
// go build cannot write.
func batches(programs []*program) [][]*program {
	var list [][]*program
	seen := make(map[string]map[string]int) // output → import path → batch
	for _, p := range programs {
		if seen[p.output] == nil {
			seen[p.output] = make(map[string]int)
		}
		i, again := seen[p.output][p.path]
		if !again {
			i = len(seen[p.output])
			seen[p.output][p.path] = i
		}
		if i == len(list) {
			list = append(list, nil)
		}
		list[i] = append(list[i], p)
	}
	return list
}

// compile runs go build. The flags leave out what only makes it slower: symbols
// for a debugger (GOFLAGS brings them back with -ldflags=) and the version
// control's state, which would mean a new binary for each commit.
func compile(ctx context.Context, module, bin string, programs []*program) error {
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return fmt.Errorf("lambda: build folder: %w", err)
	}
	args := []string{"build", "-buildvcs=false", "-o", bin + string(filepath.Separator)}
	if !strings.Contains(os.Getenv("GOFLAGS"), "-ldflags") {
		args = append(args, "-ldflags=-s -w")
	}
	for _, p := range programs {
		args = append(args, p.pattern)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
	if os.Getenv("CGO_ENABLED") == "" {
		cmd.Env = append(cmd.Env, "CGO_ENABLED=0")
	}
	cmd.WaitDelay = 5 * time.Second // for what a cancelled go build has started
	out, err := cmd.CombinedOutput()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("lambda: the go command, which builds the functions, is not in PATH: %w", err)
	case ctx.Err() != nil:
		return fmt.Errorf("lambda: go build: %w", context.Cause(ctx))
	case err != nil:
		return fmt.Errorf("lambda: go build of %s: %w\n%s", blame(programs, out), err, bytes.TrimSpace(out))
	}
	return nil
}

// blame names the functions whose own package the compiler complains about, or
// all if the fault is in what they share.
func blame(programs []*program, out []byte) string {
	var own, all []string
	for _, p := range programs {
		name := fmt.Sprintf("%s (%s)", p.f.def.LogicalID, p.f.def.Pos)
		all = append(all, name)
		if bytes.Contains(out, []byte("# "+p.path+"\n")) || bytes.Contains(out, []byte(p.pattern[2:]+string(filepath.Separator))) {
			own = append(own, name)
		}
	}
	if len(own) == 0 {
		own = all
	}
	return strings.Join(own, ", ")
}
