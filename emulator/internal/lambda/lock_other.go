//go:build !unix

package lambda

import (
	"errors"
	"os"
)

// lockFile does nothing here: emulators of one template must not be started at
// the same moment.
func lockFile(name string) (func(), error) { return func() {}, nil }

// claim makes a file that is not there yet.
func claim(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o644)
	if errors.Is(err, os.ErrExist) {
		return nil, errors.New("in use")
	}
	return f, err
}
