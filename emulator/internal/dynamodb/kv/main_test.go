package kv

import (
	"os"
	"testing"

	"crypto-ticker/emulator/internal/leaktest"
)

func TestMain(m *testing.M) {
	os.Exit(leaktest.Main(m, []string{"dynamodb/kv.", "bbolt"}))
}
