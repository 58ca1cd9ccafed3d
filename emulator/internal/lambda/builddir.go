package lambda

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// unused is how long the binaries of a template are kept that nobody runs.
const unused = 7 * 24 * time.Hour

// builder is where binaries are built and kept.
//
// Builds go to bin, which all emulators of a template share: go build leaves a
// binary alone that is up to date. What runs is a hard link in a folder that an
// emulator has for itself, so that a later build disturbs nobody.
type builder struct {
	mu    sync.Mutex
	root  string
	temp  bool   // root is for this emulator alone and ends with it
	own   string // this emulator's folder; "" before the first build
	lock  *os.File
	count int
}

// buildRoot is where the binaries of this template are kept; "" where nothing
// can be kept.
func (s *Service) buildRoot() string {
	if s.cfg.BuildDir != "" {
		return s.cfg.BuildDir
	}
	base, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	dir, err := filepath.Abs(filepath.Dir(s.order[0].def.Pos.File))
	if err != nil {
		return ""
	}
	// What changes the binaries changes the folder: otherwise a plain go test and
	// make test would undo each other's builds.
	hash := sha256.Sum256([]byte(dir + "\n" + os.Getenv("GOFLAGS") + "\n" + os.Getenv("CGO_ENABLED")))
	return filepath.Join(base, "sam-emulator", hex.EncodeToString(hash[:8]))
}

// open makes this emulator's own folder in root, and holds its lock for as long
// as the emulator lives. Without a root, it makes a temporary one.
func (b *builder) open(root string) error {
	if b.own != "" {
		return nil
	}
	b.temp = root == ""
	if b.temp {
		var err error
		if root, err = os.MkdirTemp("", "sam-emulator-"); err != nil {
			return err
		}
	}
	unlock, err := lockRoot(root)
	if err != nil {
		return err
	}
	defer unlock()
	now := time.Now()
	if err := os.Chtimes(filepath.Join(root, "lock"), now, now); err != nil {
		return err
	}
	own, err := os.MkdirTemp(root, "run-")
	if err != nil {
		return err
	}
	b.lock, err = claim(filepath.Join(own, "lock"))
	if err != nil {
		os.RemoveAll(own)
		return err
	}
	b.root, b.own = root, own
	return nil
}

// lockRoot makes the folder root if it has to, and locks it. While it waits for
// the lock, prune may remove the folder; then there is another one to make.
func lockRoot(root string) (unlock func(), err error) {
	for range 100 { // others prune but once a start, and what nobody has used for long
		if err = os.MkdirAll(root, 0o755); err != nil {
			return nil, err
		}
		if unlock, err = lockFile(filepath.Join(root, "lock")); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return unlock, err
}

// sweep removes the folders of emulators that have died. The build lock is held.
func (b *builder) sweep() {
	runs, _ := filepath.Glob(filepath.Join(b.root, "run-*")) // the pattern is valid
	for _, dir := range runs {
		if dir == b.own {
			continue
		}
		if lock, err := claim(filepath.Join(dir, "lock")); err == nil {
			os.RemoveAll(dir) // what stays is tried again with the next build
			lock.Close()
		}
	}
}

// prune removes what was built for templates that nobody has run for long, such
// as those of tests in temporary folders. cache holds the roots of all.
func prune(cache string) {
	locks, _ := filepath.Glob(filepath.Join(cache, "*", "lock")) // the pattern is valid
	for _, name := range locks {
		info, err := os.Stat(name)
		if err != nil || time.Since(info.ModTime()) < unused {
			continue
		}
		pruneRoot(filepath.Dir(name))
	}
}

// pruneRoot removes what was built for one template, unless somebody runs it.
func pruneRoot(root string) {
	lock, err := claim(filepath.Join(root, "lock"))
	if err != nil {
		return // somebody builds, or has removed it
	}
	defer lock.Close()
	b := &builder{root: root}
	b.sweep()
	if runs, _ := filepath.Glob(filepath.Join(root, "run-*")); len(runs) == 0 {
		os.RemoveAll(root) // what stays is tried again
	}
}

// link gives this emulator a binary of its own.
func (b *builder) link(binary string, p *program) (string, error) {
	b.count++
	own := filepath.Join(b.own, fmt.Sprintf("%s-%d", p.f.def.LogicalID, b.count))
	if err := os.Link(binary, own); err == nil {
		return own, nil
	}
	return own, copyFile(own, binary) // a file system without hard links
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// close removes this emulator's folder. No function runs any more.
func (b *builder) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.own == "" {
		return
	}
	os.RemoveAll(b.own) // what stays, the next build's sweep takes
	b.lock.Close()
	if b.temp {
		os.RemoveAll(b.root)
	}
}
