package market

import (
	"strings"
	"testing"
)

func TestIsPrice(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want bool
	}{
		{"42000.00", true}, {"42000.01000", true}, {"0.00001234", true}, {"95", true},
		{"", false}, {"0", false}, {"0.00", false}, {"-1", false}, {"+1", false}, {"1e5", false},
		{".5", false}, {"5.", false}, {"1.2.3", false}, {"01.5", false}, {"1,5", false}, {"NaN", false},
		{" 1", false}, {"null", false}, {strings.Repeat("9", 33), false},
	}
	for _, tt := range tests {
		if got := isPrice(tt.text); got != tt.want {
			t.Errorf("isPrice(%q): got %v; want %v", tt.text, got, tt.want)
		}
	}
}

func TestParseSymbols(t *testing.T) {
	t.Parallel()
	tests := []struct {
		list    string
		want    string
		wantErr string
	}{
		{list: "BTC-USD", want: "BTC-USD"},
		{list: "BTC-USD, ETH-USD", want: "BTC-USD ETH-USD"},
		{list: "", wantErr: `"" is no symbol`},
		{list: "BTC-USD,", wantErr: `"" is no symbol`},
		{list: "btc-usd", wantErr: `"btc-usd" is no symbol`},
		{list: `BTC-"US`, wantErr: "is no symbol"},
		{list: "BTC-USD,BTC-USD", wantErr: "listed twice"},
	}
	for _, tt := range tests {
		got, err := ParseSymbols(tt.list)
		if tt.wantErr == "" && (err != nil || strings.Join(got, " ") != tt.want) {
			t.Errorf("ParseSymbols(%q): got %v, %v; want %s", tt.list, got, err, tt.want)
		}
		if tt.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tt.wantErr)) {
			t.Errorf("ParseSymbols(%q): got %v; want an error with %q", tt.list, err, tt.wantErr)
		}
	}
}

func TestOpenUnknownSource(t *testing.T) {
	t.Parallel()
	if _, err := Open(t.Context(), Config{Name: "moon"}); err == nil || !strings.Contains(err.Error(), "use simulated, coinbase or kraken") {
		t.Errorf("got %v; want an error that says what there is", err)
	}
}
