// Package atomicfile replaces files in such a way that they are never seen, nor
// found after a crash, half written.
package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Write gives a file a new content and mode at once.
func Write(name string, content []byte, mode fs.FileMode) error {
	dir := filepath.Dir(name)
	f, err := os.CreateTemp(dir, filepath.Base(name)+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	// Some systems cannot sync a folder; the file itself is safe.
	d.Sync()
	return d.Close()
}

// Sweep removes what a Write of the file has left behind that did not come to its
// end, since the process was killed. Nobody may write the file at the same time.
func Sweep(name string) error {
	entries, err := os.ReadDir(filepath.Dir(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		number, ours := strings.CutPrefix(e.Name(), filepath.Base(name)+".")
		if ours && number != "" && strings.Trim(number, "0123456789") == "" && e.Type().IsRegular() {
			err = errors.Join(err, os.Remove(filepath.Join(filepath.Dir(name), e.Name())))
		}
	}
	return err
}
