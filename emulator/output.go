package emulator

import (
	"io"
	"sync"
)

// output passes whole lines on, one at a time.
type output struct {
	mu sync.Mutex
	w  io.Writer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.w.Write(p)
}

// accessLog writes a line of an API's access log behind the API's name, as lines
// of functions stand behind theirs.
func (o *output) accessLog(api, line string) {
	o.Write([]byte(api + " | " + line + "\n")) // an error means that nobody reads
}
