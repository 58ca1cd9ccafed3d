package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// bareServer does what @connections is for with the least that there can be:
// net/http, a map of connections, and one write for each post. To any message it
// answers with the connection's id, and to a call of DynamoDB with nothing.
type bareServer struct {
	mu    sync.RWMutex
	conns map[string]net.Conn
}

// serveBare runs the server in a process of its own, as the emulator is one. It
// ends with the process.
func serveBare() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("listening on", l.Addr())
	return http.Serve(l, &bareServer{conns: make(map[string]net.Conn)})
}

// ServeHTTP takes posts and handshakes.
func (s *bareServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header["X-Amz-Target"] != nil {
		io.Copy(io.Discard, r.Body) // an error means that the client has gone
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.Write([]byte("{}"))
		return
	}
	if r.Method == http.MethodPost {
		s.post(w, r)
		return
	}
	c, _, _, err := ws.UpgradeHTTP(r, w)
	if err != nil {
		return // it has been answered
	}
	s.mu.Lock()
	id := strconv.Itoa(len(s.conns))
	s.conns[id] = c
	s.mu.Unlock()
	go func() {
		defer c.Close()
		for {
			if _, _, err := wsutil.ReadClientData(c); err != nil {
				return
			}
			if wsutil.WriteServerText(c, []byte(id)) != nil {
				return
			}
		}
	}()
}

// post writes the request's body to the connection of /prod/@connections/{id}.
func (s *bareServer) post(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	s.mu.RLock()
	c := s.conns[id]
	s.mu.RUnlock()
	if c == nil {
		w.WriteHeader(http.StatusGone)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var frame bytes.Buffer
	ws.WriteFrame(&frame, ws.NewTextFrame(body)) // a buffer takes everything
	if _, err := c.Write(frame.Bytes()); err != nil {
		w.WriteHeader(http.StatusGone)
	}
}
