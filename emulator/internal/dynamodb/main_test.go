package dynamodb

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"

	"crypto-ticker/emulator/internal/clock"
	"crypto-ticker/emulator/internal/leaktest"
)

// writerDir makes the test binary a process that writes to the store in that
// folder, until it is killed.
const writerDir = "DYNAMODB_TEST_WRITER_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerDir); dir != "" {
		if err := writeForever(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(leaktest.Main(m, []string{"internal/dynamodb.", "bbolt", "net/http."}, leaktest.Children))
}

// writeForever puts items and prints the number of each when it is
// acknowledged.
func writeForever(dir string) error {
	engine, err := Open(Config{Dir: dir, Clock: clock.New(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	if _, err := engine.Do(context.Background(), "CreateTable", fmt.Appendf(nil, indexedTable)); err != nil {
		return err
	}
	lines := make(chan string)
	for worker := range 8 {
		go func() {
			for i := worker; ; i += 8 {
				_, err := engine.Do(context.Background(), "PutItem",
					fmt.Appendf(nil, `{"TableName":"Indexed","Item":{"pk":{"S":"p"},"sk":{"N":"%d"},"g":{"S":"g"}}}`, i))
				lines <- fmt.Sprintln(i, err)
			}
		}()
	}
	for line := range lines {
		fmt.Print(line)
	}
	return nil
}

// TestKill kills a process that writes: all that it acknowledged is there
// afterwards, and the indexes agree with the table.
func TestKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	writer := exec.Command(exe)
	writer.Env = append(os.Environ(), writerDir+"="+dir)
	writer.Stderr = os.Stderr
	out, err := writer.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.Start(); err != nil {
		t.Fatal(err)
	}
	defer writer.Process.Kill()
	const enough = 500
	var acknowledged []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		number, result, _ := strings.Cut(lines.Text(), " ")
		if result != "<nil>" {
			t.Fatalf("put %s: %s", number, result)
		}
		if acknowledged = append(acknowledged, number); len(acknowledged) == enough {
			writer.Process.Kill() // more lines come, until it is dead
		}
	}
	if err := writer.Wait(); err == nil || len(acknowledged) < enough {
		t.Fatalf("the writer ended by itself after %d items: %v", len(acknowledged), err)
	}
	b := open(t, dir)
	for _, number := range acknowledged {
		item := `{"g":{"S":"g"},"pk":{"S":"p"},"sk":{"N":"` + number + `"}}`
		b.want("GetItem", `{"TableName":"Indexed","Key":{"pk":{"S":"p"},"sk":{"N":"`+number+`"}}}`, `{"Item":`+item+`}`)
	}
	inTable := b.must("Scan", `{"TableName":"Indexed","Select":"COUNT"}`)
	if inIndex := b.must("Scan", `{"TableName":"Indexed","IndexName":"some","Select":"COUNT"}`); inIndex != inTable {
		t.Errorf("table has %s, index %s", inTable, inIndex)
	}
}
