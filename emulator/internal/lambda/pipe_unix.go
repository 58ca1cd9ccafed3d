//go:build unix

package lambda

import (
	"errors"
	"os"
	"syscall"
)

// readNow reads what is in a pipe, if anything is; it does not wait.
func readNow(f *os.File, b []byte) (n int, err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	err2 := raw.Read(func(fd uintptr) bool {
		for {
			if n, err = syscall.Read(int(fd), b); err != syscall.EINTR {
				return true
			}
		}
	})
	return max(n, 0), errors.Join(err, err2)
}
