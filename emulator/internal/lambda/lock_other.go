//go:build !unix

package lambda

import (
	"errors"
	"os"
)

// lockFile makes the file and locks nothing: emulators of one template must not
// be started at the same moment.
func lockFile(name string) (func(), error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	return func() {}, f.Close()
}

// claim makes a file that is not there yet.
func claim(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o644)
	if errors.Is(err, os.ErrExist) {
		return nil, errors.New("in use")
	}
	return f, err
}
