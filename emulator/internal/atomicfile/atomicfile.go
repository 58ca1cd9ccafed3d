// Package atomicfile replaces files in such a way that they are never seen, nor
// found after a crash, half written.
package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
)

// Write gives a file a new content at once; only its owner may read it.
func Write(name string, content []byte) error {
	dir := filepath.Dir(name)
	f, err := os.CreateTemp(dir, filepath.Base(name)+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Sync(), f.Close())
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
