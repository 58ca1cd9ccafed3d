package lambda

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"

	"crypto-ticker/emulator/internal/template"
)

// The credentials of all functions. They are no secrets: they show at most that
// a function signs its requests as it should.
const (
	AccessKeyID     = "EMULATOR000000000000"
	SecretAccessKey = "emulator"
)

// environment returns the variables of a function's processes, but for those
// that differ from one process to the next. Of the emulator's own environment
// only PATH is passed on.
func environment(cfg *Config, def *template.Function) ([]string, error) {
	if err := checkSize(def.Environment); err != nil {
		return nil, err
	}
	env := map[string]string{
		"AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
		"AWS_XRAY_DAEMON_ADDRESS":  "127.0.0.1:2000",
		"LANG":                     "en_US.UTF-8",
		"LD_LIBRARY_PATH":          def.CodeDir + ":" + filepath.Join(def.CodeDir, "lib"),
		"PATH":                     os.Getenv("PATH"),
		"TZ":                       ":UTC",
		// AWS has no such variable: it enforces the share. A Go program that is told
		// has less to do for an event, and leaves more to the others.
		"GOMAXPROCS": strconv.Itoa(processors(def.MemoryMB, runtime.NumCPU())),
	}
	for k, v := range def.Environment {
		env[k] = v
	}
	for k, v := range cfg.Endpoints {
		if env[k] == "" {
			env[k] = v
		}
	}
	maps.Copy(env, map[string]string{
		"AWS_ACCESS_KEY_ID":               AccessKeyID,
		"AWS_SECRET_ACCESS_KEY":           SecretAccessKey,
		"AWS_SESSION_TOKEN":               "emulator",
		"AWS_REGION":                      cfg.Region,
		"AWS_DEFAULT_REGION":              cfg.Region,
		"AWS_LAMBDA_FUNCTION_NAME":        def.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     latest,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(def.MemoryMB),
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       def.Logging.Group,
		"LAMBDA_TASK_ROOT":                def.CodeDir,
		"_AWS_XRAY_DAEMON_ADDRESS":        "127.0.0.1",
		"_AWS_XRAY_DAEMON_PORT":           "2000",
		"_HANDLER":                        def.Handler,
	})
	if def.Logging.Format == "JSON" {
		env["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
		env["AWS_LAMBDA_LOG_LEVEL"] = def.Logging.Level
	}
	list := make([]string, 0, len(env))
	for _, k := range slices.Sorted(maps.Keys(env)) {
		list = append(list, k+"="+env[k])
	}
	return list, nil
}

// processors are how many of a machine's a function has the time of, rounded up.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
func processors(memoryMB, cpus int) int {
	const whole = 1769 // MB, which are worth one processor
	return min(cpus, max(1, (memoryMB+whole-1)/whole))
}

// checkSize refuses more variables than Lambda takes. The template's reader does
// so too, but the values may have been replaced since.
func checkSize(vars map[string]string) error {
	size := 0
	for k, v := range vars {
		size += len(k) + len(v)
	}
	if size > template.MaxEnvironment {
		return fmt.Errorf("environment variables take %d bytes; Lambda allows %d", size, template.MaxEnvironment)
	}
	return nil
}
