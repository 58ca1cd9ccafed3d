package lambda

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"crypto-ticker/emulator/internal/template"
)

func TestProcessorTimes(t *testing.T) {
	t.Parallel()
	idle, total := processorTimes([]byte("cpu  10 2 30 400 50 6 7 8 9 10\ncpu0 1 1 1 1 1 1 1 1 1 1\n"))
	if idle != 450 || total != 513 {
		t.Errorf("got %d idle of %d; want 450 of 513", idle, total)
	}
	if idle, total := processorTimes([]byte("something else")); idle != 0 || total != 0 {
		t.Errorf("of no times: got %d, %d", idle, total)
	}
}

// TestNoMoreInstancesForABusyMachine: many short events that wait long get one
// more instance, unless the processors are busy with those that there are.
func TestNoMoreInstancesForABusyMachine(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		idle int // of the 1000 that have passed
		want bool
	}{
		{"idle", 900, true}, {"a tenth idle", 100, true}, {"busy", 99, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			stat := filepath.Join(t.TempDir(), "stat")
			if err := os.WriteFile(stat, fmt.Appendf(nil, "cpu %d 0 0 %d\n", 2000-tt.idle, 5000+tt.idle), 0o600); err != nil {
				t.Fatal(err)
			}
			svc := &Service{cfg: Config{MaxInstances: maxInstances, patience: time.Hour}}
			svc.machine = machine{stat: stat, idle: 5000, total: 6000}
			f := &function{svc: svc, def: &template.Function{}, instances: map[*instance]struct{}{}}
			for range crowd {
				f.instances[&instance{state: busy, current: &invocation{begun: time.Now()}}] = struct{}{}
			}
			f.queue = []*invocation{{queued: time.Now().Add(-2 * time.Hour)}}
			f.loseHope()
			if got := len(svc.initSem.waiting) > 0; got != tt.want { // for the slot that a start takes
				t.Errorf("another instance: got %v, want %v", got, tt.want)
			}
		})
	}
}
