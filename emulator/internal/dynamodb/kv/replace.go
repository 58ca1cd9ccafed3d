package kv

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// Replace puts a new file into the place of another, which stays under the name
// aside, and makes that last. Both names must be of the file's folder. With a link,
// there is a file under the old name at every moment: whoever opens the store after
// a death between the steps must not begin an empty one. If one fails, the file is
// where it was; an error of the disk may come when all is done.
func Replace(file, next, aside string) error {
	if err := exchange(file, next, aside); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(file))
}

func exchange(file, next, aside string) error {
	if os.Link(file, aside) == nil {
		return os.Rename(next, file)
	}
	if err := os.Rename(file, aside); err != nil { // the file system has no links
		return err
	}
	if err := os.Rename(next, file); err != nil {
		return errors.Join(err, os.Rename(aside, file))
	}
	return nil
}

// syncFolder makes the file's name outlive the machine, and the folder's own
// name, which may be as new. Some systems cannot do that for a folder; only an
// error of the disk counts.
func syncFolder(dir string) error {
	for _, name := range []string{dir, filepath.Dir(dir)} {
		d, err := os.Open(name)
		if err != nil {
			continue // it may be written to but not read
		}
		err = d.Sync()
		d.Close()
		if errors.Is(err, syscall.EIO) {
			return err
		}
	}
	return nil
}
