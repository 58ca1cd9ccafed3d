// Package runtime is the loop of a Lambda function in Go, without a library.
//
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
package runtime

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
)

// Start takes one event after the other to handle, and ends the process when the
// Runtime API cannot be reached. An error of handle is the function's.
func Start[Event any](handle func(Event) (any, error)) {
	log.SetFlags(0)
	base := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/"
	for {
		if err := one(base, handle); err != nil {
			log.Fatal("runtime: ", err)
		}
	}
}

// one asks for an event and posts its answer.
func one[Event any](base string, handle func(Event) (any, error)) error {
	res, err := http.Get(base + "next")
	if err != nil {
		return err
	}
	src, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil {
		return fmt.Errorf("read event: %w", err)
	}
	var event Event
	var answer any
	if err = json.Unmarshal(src, &event); err == nil {
		answer, err = handle(event)
	}
	action := "response"
	if err != nil {
		action, answer = "error", map[string]string{"errorType": "Error", "errorMessage": err.Error()}
	}
	body, err := json.Marshal(answer)
	if err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	res, err = http.Post(base+res.Header.Get("Lambda-Runtime-Aws-Request-Id")+"/"+action, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	return res.Body.Close()
}
