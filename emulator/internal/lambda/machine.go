package lambda

import (
	"bytes"
	"os"
	"strconv"
	"sync"
	"time"
)

// machine tells whether the processors have time for more.
type machine struct {
	stat string // the file with their times

	mu          sync.Mutex
	at          time.Time
	idle, total uint64 // when that was read
	verdict     bool
}

// Looks at a machine that are closer to each other tell nothing: its times have
// a resolution of 10 ms.
const machineInterval = 50 * time.Millisecond

// busy says whether the processors were idle for less than a tenth of the time
// since it was last asked. Where the system does not tell, they are not.
func (m *machine) busy() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if time.Since(m.at) < machineInterval {
		return m.verdict
	}
	stat, err := os.ReadFile(m.stat)
	if err != nil {
		return false
	}
	m.note(stat)
	return m.verdict
}

// note takes what the file says now.
func (m *machine) note(stat []byte) {
	idle, total := processorTimes(stat)
	m.verdict = (idle-m.idle)*10 < total-m.total
	m.idle, m.total, m.at = idle, total, time.Now()
}

// processorTimes reads the first line of /proc/stat: the times that all
// processors together have spent idle, and in all.
// https://man7.org/linux/man-pages/man5/proc_stat.5.html
func processorTimes(stat []byte) (idle, total uint64) {
	line, _, _ := bytes.Cut(stat, []byte("\n"))
	for i, field := range bytes.Fields(line) {
		n, err := strconv.ParseUint(string(field), 10, 64)
		if err != nil || i > 8 { // the name, and guests, which are in user already
			continue
		}
		if total += n; i == 4 || i == 5 { // idle, and waiting for a disk
			idle += n
		}
	}
	return idle, total
}
