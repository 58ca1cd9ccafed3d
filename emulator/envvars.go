package emulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"crypto-ticker/emulator/internal/template"
)

// applyEnvVars reads a file in the form of sam local's --env-vars: variables by
// function, and under Parameters those of every function. As there, a variable
// that the template does not declare cannot be set; here it is an error. Without
// a file nothing is changed.
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-cli-using-invoke.html#serverless-sam-cli-using-invoke-environment-file
func applyEnvVars(stack *template.Stack, file string) error {
	if file == "" {
		return nil
	}
	src, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("environment variables: %w", err)
	}
	byFunction, err := parseEnvVars(src)
	if err != nil {
		return fmt.Errorf("environment variables: %s: %w; expected {\"FunctionId\": {\"NAME\": \"value\"}}", file, err)
	}
	common := byFunction["Parameters"]
	delete(byFunction, "Parameters")
	for _, f := range stack.Functions {
		for k, v := range common {
			if _, declared := f.Environment[k]; declared {
				f.Environment[k] = v
			}
		}
		own := byFunction[f.LogicalID]
		delete(byFunction, f.LogicalID)
		for k, v := range own {
			if _, declared := f.Environment[k]; !declared {
				return fmt.Errorf("environment variables: %s: %s has no variable %s in the template", file, f.LogicalID, k)
			}
			f.Environment[k] = v
		}
	}
	for name := range byFunction {
		return fmt.Errorf("environment variables: %s: the template has no function %s", file, name)
	}
	return nil
}

// parseEnvVars reads variables by function. As for sam local, a number, true or
// false is the text that it is written as, and null is empty.
func parseEnvVars(src []byte) (map[string]map[string]string, error) {
	var raw any
	d := json.NewDecoder(bytes.NewReader(src))
	d.UseNumber()
	if err := d.Decode(&raw); err != nil {
		return nil, fmt.Errorf("no JSON: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("no JSON: more stands behind its end")
	}
	functions, ok := raw.(map[string]any)
	if !ok {
		return nil, errors.New("it is no object")
	}
	byFunction := map[string]map[string]string{}
	for id, v := range functions {
		variables, ok := v.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%s is no object", id)
		}
		byFunction[id] = map[string]string{}
		for name, v := range variables {
			switch v := v.(type) {
			case nil:
				byFunction[id][name] = ""
			case string, json.Number, bool:
				byFunction[id][name] = fmt.Sprint(v)
			default:
				return nil, fmt.Errorf("%s of %s is neither text nor a number, true, false or null", name, id)
			}
		}
	}
	return byFunction, nil
}
