package tlsport_test

import (
	"io"
	"net"
	"net/http"
	"testing"

	"crypto-ticker/emulator/internal/tlsport"
)

// BenchmarkPlain makes plain requests, over new connections and over one that is
// kept, with the port of this package and with the bare one.
func BenchmarkPlain(b *testing.B) {
	for name, wrap := range map[string]func(net.Listener) net.Listener{
		"bare": func(l net.Listener) net.Listener { return l },
		"both": func(l net.Listener) net.Listener { return tlsport.Listen(l, nil, nil) },
	} {
		for kind, fresh := range map[string]bool{"new": true, "kept": false} {
			b.Run(kind+"/"+name, func(b *testing.B) {
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					b.Fatal(err)
				}
				s := &http.Server{Handler: http.NotFoundHandler(), ConnContext: tlsport.ConnContext, ConnState: tlsport.ConnState}
				go s.Serve(wrap(l))
				defer s.Close()
				client := http.Client{Transport: &http.Transport{DisableKeepAlives: fresh}}
				defer client.CloseIdleConnections()
				b.ReportAllocs()
				for b.Loop() {
					res, err := client.Get("http://" + l.Addr().String())
					if err != nil {
						b.Fatal(err)
					}
					io.Copy(io.Discard, res.Body)
					res.Body.Close()
				}
			})
		}
	}
}
