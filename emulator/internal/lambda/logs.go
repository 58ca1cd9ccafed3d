package lambda

import (
	"bytes"
	"errors"
	"io"
	"os"
	"sync"
	"time"
)

// maxLine is the longest line in bytes that is kept whole, the size of a log
// event on AWS.
const maxLine = 256 << 10

// logPipe reads what a process writes to its standard output and error, and
// passes it on in whole lines behind the function's name.
type logPipe struct {
	r       *os.File
	prefix  string
	out     io.Writer
	partial []byte // a line without its end
	block   []byte // lines to be written, with their prefix

	mu      sync.Mutex
	tail    *tail
	drained chan struct{} // closed when the pipe is next found empty; nil if nobody asks
}

// read runs until the process has ended.
func (p *logPipe) read() {
	buf := make([]byte, 16<<10)
	for {
		n, err := p.r.Read(buf)
		p.consume(buf[:n])
		if errors.Is(err, os.ErrDeadlineExceeded) {
			p.empty(buf)
		} else if err != nil {
			break
		}
	}
	if len(p.partial) > 0 {
		p.consume([]byte("\n"))
	}
	p.settle()
}

// empty reads what is in the pipe, for whoever waits in drain. That the deadline
// is over says nothing of it: a slow terminal may have kept the reader from it.
func (p *logPipe) empty(buf []byte) {
	waiting := p.waiting()
	for {
		n, err := readNow(p.r, buf)
		p.consume(buf[:n])
		if errors.Is(err, os.ErrDeadlineExceeded) { // somebody else has come to wait
			waiting = append(waiting, p.waiting()...)
		} else if n == 0 || err != nil { // the next Read waits, or finds the error again
			break
		}
	}
	for _, drained := range waiting {
		close(drained)
	}
}

// waiting takes over whoever waits in drain, and the deadline that drain has set:
// who comes later sets another.
func (p *logPipe) waiting() []chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.r.SetReadDeadline(time.Time{})
	if p.drained == nil {
		return nil
	}
	drained := p.drained
	p.drained = nil
	return []chan struct{}{drained}
}

func (p *logPipe) consume(b []byte) {
	if len(b) == 0 {
		return
	}
	p.mu.Lock()
	if p.tail != nil {
		p.tail.write(b)
	}
	p.mu.Unlock()
	p.block = p.block[:0]
	for len(b) > 0 {
		i := bytes.IndexByte(b, '\n')
		if i < 0 && len(p.partial)+len(b) <= maxLine {
			p.partial = append(p.partial, b...)
			break
		}
		line := b
		if i >= 0 {
			line = b[:i]
		}
		p.block = append(p.block, p.prefix...)
		p.block = append(p.block, p.partial...)
		p.block = append(p.block, line...)
		p.block = append(p.block, '\n')
		p.partial = p.partial[:0]
		b = b[min(len(b), len(line)+1):]
	}
	if len(p.block) > 0 {
		p.out.Write(p.block) // a terminal that has gone is no reason to end functions
	}
}

// settle tells whoever waits in drain that the pipe has ended.
func (p *logPipe) settle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.drained != nil {
		close(p.drained)
		p.drained = nil
	}
}

// record makes t get what the process writes from now on.
func (p *logPipe) record(t *tail) {
	p.mu.Lock()
	p.tail = t
	p.mu.Unlock()
}

// release ends what record began, unless the process has another event by now,
// whose tail it is.
func (p *logPipe) release(t *tail) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tail == t {
		p.tail = nil
	}
}

// drain waits until what the process has written so far has been read.
func (p *logPipe) drain() {
	p.mu.Lock()
	if p.drained == nil {
		p.drained = make(chan struct{})
	}
	drained := p.drained
	err := p.r.SetReadDeadline(time.Unix(1, 0)) // long over: see empty
	p.mu.Unlock()
	if err != nil {
		return // closed, or a system whose pipes know no deadline
	}
	select {
	case <-drained:
	case <-time.After(time.Second): // a terminal that takes nothing
	}
}

// maxTail is how much of a log X-Amz-Log-Result holds, in bytes.
const maxTail = 4 << 10

// tail keeps the end of what is written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

func (t *tail) write(p []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	if over := len(t.b) - maxTail; over > 0 {
		t.b = append(t.b[:0], t.b[over:]...)
	}
}

func (t *tail) bytes() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return bytes.Clone(t.b)
}
