package dynamodb

import (
	"fmt"
	"os"
	"testing"

	"crypto-ticker/emulator/internal/leaktest"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerDir); dir != "" {
		if err := writeForever(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	code := leaktest.Main(m, []string{"internal/dynamodb.", "bbolt", "net/http."}, leaktest.Children)
	if err := report(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
