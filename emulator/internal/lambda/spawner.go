package lambda

import (
	"os/exec"
	"runtime"
)

// spawner starts all processes from one thread that lives as long as the
// service: Linux kills them when the thread that started them ends, which an
// ordinary goroutine's thread may do at any time.
type spawner struct {
	jobs chan spawn
	done chan struct{}
}

type spawn struct {
	cmd *exec.Cmd
	err chan error
}

func newSpawner() *spawner {
	s := &spawner{jobs: make(chan spawn), done: make(chan struct{})}
	go func() {
		defer close(s.done)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for job := range s.jobs {
			job.err <- job.cmd.Start()
		}
	}()
	return s
}

// start starts a process whose files are all *os.File or nil.
func (s *spawner) start(cmd *exec.Cmd) error {
	job := spawn{cmd, make(chan error, 1)}
	s.jobs <- job
	return <-job.err
}

// close ends the thread. All processes have ended, and start is not called again.
func (s *spawner) close() {
	close(s.jobs)
	<-s.done
}
