//go:build unix

package lambda

import (
	"io/fs"
	"os"
	"syscall"
)

// lockFile waits for the lock on a file; the function that it returns gives the
// lock back. The lock ends with the process, however that ends. The error is
// fs.ErrNotExist if the file has been removed meanwhile, or its folder before.
func lockFile(name string) (func(), error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if err != syscall.EINTR {
			break
		}
	}
	if err == nil {
		err = inPlace(f, name)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}

// inPlace says whether name still is the file's.
func inPlace(f *os.File, name string) error {
	now, err := os.Stat(name)
	if err != nil {
		return err
	}
	ours, err := f.Stat()
	if err == nil && !os.SameFile(now, ours) {
		err = fs.ErrNotExist
	}
	return err
}

// claim takes the lock on a file, or returns an error if somebody has it or has
// just removed the file. Closing the file gives it back.
func claim(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == nil {
		err = inPlace(f, name)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
