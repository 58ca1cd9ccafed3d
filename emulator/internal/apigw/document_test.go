package apigw

import (
	"testing"

	"crypto-ticker/emulator/internal/doctest"
)

func TestDocument(t *testing.T) {
	t.Parallel()
	doctest.Check(t, "../../docs/apigateway.md", map[string]string{"": ".", "†": "../template", "‡": "../.."})
}
