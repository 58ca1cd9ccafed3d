package tlsport

import (
	"errors"
	"io"
	"net"
	"syscall"
)

// first returns the first byte of a connection and a connection from which that
// byte has not been read: the same one wherever the kernel lets us look, since
// others want its *net.TCPConn.
func first(nc net.Conn) (byte, net.Conn, error) {
	if sc, ok := nc.(syscall.Conn); ok {
		raw, err := sc.SyscallConn()
		if err != nil {
			return 0, nil, err
		}
		b, err := peek(raw)
		if !errors.Is(err, errors.ErrUnsupported) {
			return b, nc, err
		}
	}
	u := &unread{Conn: nc, early: make([]byte, 1)}
	_, err := io.ReadFull(nc, u.early)
	return u.early[0], u, err
}

// unread is a connection of which some bytes have been read too early. It hides
// whatever else the connection can do that would miss them.
type unread struct {
	net.Conn
	early []byte
}

// Read returns the early bytes first.
func (u *unread) Read(p []byte) (int, error) {
	if len(u.early) == 0 {
		return u.Conn.Read(p)
	}
	n := copy(p, u.early)
	u.early = u.early[n:]
	return n, nil
}

// CloseWrite closes the writing side, if that is possible.
func (u *unread) CloseWrite() error {
	if half, ok := u.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}
