//go:build unix

package tlsport

import (
	"io"
	"syscall"
)

// peek waits for the first byte and leaves it in the kernel.
func peek(raw syscall.RawConn) (byte, error) {
	var buf [1]byte
	n, failed := 0, error(nil)
	err := raw.Read(func(fd uintptr) bool {
		for {
			n, _, failed = syscall.Recvfrom(int(fd), buf[:], syscall.MSG_PEEK)
			if failed != syscall.EINTR {
				return failed != syscall.EAGAIN
			}
		}
	})
	switch {
	case err != nil:
		return 0, err
	case failed != nil:
		return 0, failed
	case n == 0:
		return 0, io.EOF
	}
	return buf[0], nil
}
