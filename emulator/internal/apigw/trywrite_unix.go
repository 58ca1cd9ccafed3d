//go:build unix

package apigw

import "syscall"

// tryWrite writes what the kernel takes without waiting. A nil raw takes
// nothing.
func tryWrite(raw syscall.RawConn, b []byte) (int, error) {
	if raw == nil {
		return 0, nil
	}
	n, failed := 0, error(nil)
	err := raw.Write(func(fd uintptr) bool {
		for {
			n, failed = syscall.Write(int(fd), b)
			if failed != syscall.EINTR {
				return true // also when it would block: the caller queues
			}
		}
	})
	if err != nil {
		return 0, err
	}
	if failed == syscall.EAGAIN {
		return 0, nil
	}
	return max(n, 0), failed
}
