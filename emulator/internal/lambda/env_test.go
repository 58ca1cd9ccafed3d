package lambda

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"crypto-ticker/emulator/internal/template"
)

func TestEnvironment(t *testing.T) {
	t.Parallel()
	def := echo(func(f *template.Function) {
		f.Handler = "the.handler"
		f.MemoryMB = 256
		f.Logging = template.Logging{Format: "JSON", Level: "DEBUG", Group: "mine"}
		f.Environment = map[string]string{
			"TABLE": "Keys", "EMPTY": "", "TZ": "CET",
			"AWS_ENDPOINT_URL_DYNAMODB": "", "AWS_ENDPOINT_URL_LAMBDA": "http://mine",
		}
	})
	r := startConfig(t, Config{
		Functions: tableOf(def), Region: "eu-central-1",
		Endpoints: map[string]string{
			"AWS_ENDPOINT_URL_DYNAMODB": "http://emulated", "AWS_ENDPOINT_URL_LAMBDA": "http://emulated",
			"AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://emulated",
		},
	})
	got := make(map[string]string)
	for _, kv := range r.echo(t, `{"Env":true}`).Env {
		k, v, _ := strings.Cut(kv, "=")
		got[k] = v
	}
	for k, want := range map[string]string{
		"AWS_ACCESS_KEY_ID":                `[A-Z0-9]{20}`,
		"AWS_SECRET_ACCESS_KEY":            `.+`,
		"AWS_SESSION_TOKEN":                `.+`,
		"AWS_REGION":                       `eu-central-1`,
		"AWS_DEFAULT_REGION":               `eu-central-1`,
		"AWS_LAMBDA_FUNCTION_NAME":         `Echo`,
		"AWS_LAMBDA_FUNCTION_VERSION":      `\$LATEST`,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE":  `256`,
		"AWS_LAMBDA_INITIALIZATION_TYPE":   `on-demand`,
		"AWS_LAMBDA_LOG_GROUP_NAME":        `mine`,
		"AWS_LAMBDA_LOG_STREAM_NAME":       `\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}`,
		"AWS_LAMBDA_LOG_FORMAT":            `JSON`,
		"AWS_LAMBDA_LOG_LEVEL":             `DEBUG`,
		"AWS_LAMBDA_RUNTIME_API":           `127\.0\.0\.1:\d+`,
		"LAMBDA_TASK_ROOT":                 regexp.QuoteMeta(def.CodeDir),
		"LAMBDA_RUNTIME_DIR":               `/.+`,
		"_HANDLER":                         `the\.handler`,
		"TZ":                               `CET`, // not reserved
		"LANG":                             `en_US\.UTF-8`,
		"PATH":                             regexp.QuoteMeta(os.Getenv("PATH")),
		"LD_LIBRARY_PATH":                  `/.+`,
		"AWS_XRAY_CONTEXT_MISSING":         `LOG_ERROR`,
		"AWS_XRAY_DAEMON_ADDRESS":          `127\.0\.0\.1:2000`,
		"_AWS_XRAY_DAEMON_ADDRESS":         `127\.0\.0\.1`,
		"_AWS_XRAY_DAEMON_PORT":            `2000`,
		"_X_AMZN_TRACE_ID":                 `Root=.+`, // set by the runtime
		"TABLE":                            `Keys`,
		"EMPTY":                            ``,
		"AWS_ENDPOINT_URL_DYNAMODB":        `http://emulated`,
		"AWS_ENDPOINT_URL_LAMBDA":          `http://mine`,
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": `http://emulated`,
		"GOMAXPROCS":                       `1`, // the one that AWS does not set
	} {
		v, ok := got[k]
		if !ok || !regexp.MustCompile("^(?:"+want+")$").MatchString(v) {
			t.Errorf("%s: got %q (set: %v), want %s", k, v, ok, want)
		}
		delete(got, k)
	}
	for k, v := range got {
		t.Errorf("%s=%s is in the function's environment but not in AWS'", k, v)
	}
}

func TestProcessorsByMemory(t *testing.T) {
	t.Parallel()
	for memory, want := range map[int]int{128: 1, 1769: 1, 1770: 2, 3538: 2, 10240: 4} {
		if got := processors(memory, 4); got != want {
			t.Errorf("%d MB: got %d processors, want %d", memory, got, want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	vars := func(kv ...string) *template.Function {
		return echo(func(f *template.Function) {
			f.Environment = make(map[string]string)
			for i := 0; i < len(kv); i += 2 {
				f.Environment[kv[i]] = kv[i+1]
			}
		})
	}
	for _, tt := range []struct {
		name      string
		functions []*template.Function
		want      string
	}{
		{"large variables", tableOf(vars("A", strings.Repeat("x", 4096))),
			"lambda: template.yaml:7: Echo: environment variables take 4097 bytes; Lambda allows 4096"},
		{"a name twice", tableOf(echo(), echo(func(f *template.Function) { f.LogicalID = "Other" })),
			"lambda: template.yaml:7: Other: the name Echo is that of Echo already"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := New(Config{Functions: tt.functions})
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %v\nwant %s", err, tt.want)
			}
		})
	}
}
