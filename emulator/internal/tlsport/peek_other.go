//go:build !unix

package tlsport

import (
	"errors"
	"syscall"
)

// peek cannot look without reading.
func peek(syscall.RawConn) (byte, error) { return 0, errors.ErrUnsupported }
