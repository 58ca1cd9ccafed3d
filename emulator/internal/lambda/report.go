package lambda

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"time"
)

// log is the last 4 KB of an invocation's log, once it has its result: what the
// function wrote between the lines that Lambda adds. The terminal does not get
// those lines: at a thousand events a second it would show nothing else.
//
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
func (inv *invocation) log(failed *FunctionError) []byte {
	r := &report{inv: inv, took: time.Since(inv.begun), status: "success"}
	if failed != nil {
		r.status = "error"
		if strings.Contains(string(failed.Payload), `"Sandbox.Timedout"`) {
			r.status, r.took = "timeout", inv.function.def.Timeout
		}
	}
	if in := inv.in; in != nil {
		in.logs.drain()
		in.logs.release(inv.tail)
		inv.function.mu.Lock()
		if inv.cold {
			r.init = in.initTime
		}
		r.memory = peakMemoryMB(in)
		inv.function.mu.Unlock()
	}
	var b bytes.Buffer
	write := r.text
	if inv.function.def.Logging.Format == "JSON" {
		write = r.json
	}
	write(&b, inv.tail.bytes())
	return b.Bytes()[max(0, b.Len()-maxTail):]
}

// report is what the platform's lines tell of an invocation.
type report struct {
	inv    *invocation
	took   time.Duration
	init   time.Duration // 0 unless this event's instance was new
	memory int           // MB; 0 if not known
	status string
}

func (r *report) text(b *bytes.Buffer, app []byte) {
	id, def := r.inv.id, r.inv.function.def
	fmt.Fprintf(b, "START RequestId: %s Version: %s\n", id, r.inv.version())
	b.Write(app)
	if r.status == "timeout" {
		fmt.Fprintf(b, "%s %s Task timed out after %.2f seconds\n\n", time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), id, def.Timeout.Seconds())
	}
	fmt.Fprintf(b, "END RequestId: %s\n", id)
	fmt.Fprintf(b, "REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %.0f ms\tMemory Size: %d MB\tMax Memory Used: %d MB\t",
		id, ms(r.took), math.Ceil(ms(r.took+r.init)), def.MemoryMB, r.memory)
	if r.init > 0 {
		fmt.Fprintf(b, "Init Duration: %.2f ms\t", ms(r.init))
	}
	if r.status != "success" {
		fmt.Fprintf(b, "Status: %s", r.status)
	}
	b.WriteByte('\n')
}

func (r *report) json(b *bytes.Buffer, app []byte) {
	id, def := r.inv.id, r.inv.function.def
	line := func(kind string, rec map[string]any) {
		text, err := json.Marshal(map[string]any{
			"time": time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), "type": "platform." + kind, "record": rec})
		if err == nil { // strings and numbers always encode
			b.Write(append(text, '\n'))
		}
	}
	line("start", map[string]any{"requestId": id, "version": r.inv.version()})
	b.Write(app)
	metrics := map[string]any{
		"durationMs":       round(ms(r.took)),
		"billedDurationMs": math.Ceil(ms(r.took + r.init)),
		"memorySizeMB":     def.MemoryMB,
		"maxMemoryUsedMB":  r.memory,
	}
	if r.init > 0 {
		metrics["initDurationMs"] = round(ms(r.init))
	}
	line("report", map[string]any{"requestId": id, "metrics": metrics, "status": r.status})
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func round(f float64) float64 { return math.Round(f*1000) / 1000 }

// peakMemoryMB is the most memory that an instance has used, where the system
// tells. f.mu is held.
func peakMemoryMB(in *instance) int {
	if in.cmd == nil || in.state == dead {
		return 0
	}
	status, err := os.ReadFile("/proc/" + strconv.Itoa(in.cmd.Process.Pid) + "/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	field, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	kb, err := strconv.Atoi(field)
	if err != nil {
		return 0
	}
	return (kb + 1023) / 1024
}
