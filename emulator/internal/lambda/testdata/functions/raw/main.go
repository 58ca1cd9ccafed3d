// Command raw is a function for tests that speaks the Runtime API by hand and
// misbehaves as MODE says.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

var api = "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/"

func main() {
	mode := os.Getenv("MODE")
	switch mode {
	case "init-exit":
		fmt.Println("cannot start")
		os.Exit(3)
	case "init-error":
		call("POST", "init/error", `{"errorMessage":"no table","errorType":"Config"}`)
		os.Exit(1)
	case "init-error-stay":
		call("POST", "init/error", `{"errorMessage":"no table","errorType":"Config"}`)
		call("GET", "invocation/next", "") // is refused, if this has come so far
		time.Sleep(time.Hour)
	case "init-hang":
		time.Sleep(time.Hour)
	case "child":
		cmd := exec.Command("sleep", "1000")
		cmd.Stdout = os.Stdout // so that it holds the pipe
		if err := cmd.Start(); err != nil {
			panic(err)
		}
		fmt.Println("child", cmd.Process.Pid)
	case "sigterm":
		register()
	}
	for {
		id, event := next()
		respond(mode, id, event)
	}
}

func respond(mode, id string, event []byte) {
	path := "invocation/" + id + "/response"
	switch mode {
	case "protocol":
		// What is refused is told to the test in the answer.
		var b bytes.Buffer
		for _, c := range [][2]string{
			{"POST", "invocation/00000000-0000-0000-0000-000000000000/response"},
			{"GET", "invocation/next"},
			{"POST", "init/error"},
			{"GET", "nowhere"},
		} {
			status, body := call(c[0], c[1], "{}")
			fmt.Fprintf(&b, "%s %s %d %s\n", c[0], c[1], status, body)
		}
		call("POST", path, fmt.Sprintf("%q", b.String()))
		status, body := call("POST", path, "{}")
		fmt.Printf("again %d %s\n", status, body)
	case "large":
		call("POST", path, `"`+strings.Repeat("x", 8<<20)+`"`)
	case "empty":
		call("POST", path, "")
	case "no-json-error":
		call("POST", "invocation/"+id+"/error", "broken")
	case "exit-after":
		call("POST", path, string(event))
		os.Exit(0)
	case "linger":
		call("POST", path, string(event))
		time.Sleep(time.Hour)
	case "hang-up":
		call("POST", path, string(event))
		client := http.Client{Timeout: 10 * time.Millisecond}
		client.Get(api + "invocation/next")
		time.Sleep(time.Hour)
	case "trailer":
		req, _ := http.NewRequest("POST", api+path, io.MultiReader(strings.NewReader("half")))
		req.Trailer = http.Header{
			"Lambda-Runtime-Function-Error-Type": {"Broken"},
			"Lambda-Runtime-Function-Error-Body": {"eyJlcnJvck1lc3NhZ2UiOiJicm9rZSBvZmYiLCJlcnJvclR5cGUiOiJCcm9rZW4ifQ=="},
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			panic(err)
		}
		res.Body.Close()
	default:
		call("POST", path, string(event))
	}
}

func next() (string, []byte) {
	res, err := http.Get(api + "invocation/next")
	if err != nil {
		panic(err)
	}
	defer res.Body.Close()
	event, err := io.ReadAll(res.Body)
	if err != nil {
		panic(err)
	}
	return res.Header.Get("Lambda-Runtime-Aws-Request-Id"), event
}

func call(method, path, body string) (int, string) {
	req, _ := http.NewRequest(method, api+path, strings.NewReader(body))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		panic(err)
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(b)
}

// register asks for a SIGTERM before the end, and says that it came.
func register() {
	base := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2020-01-01/extension/"
	req, _ := http.NewRequest("POST", base+"register", strings.NewReader(`{"events":null}`))
	req.Header.Set("Lambda-Extension-Name", "test")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		panic(err)
	}
	res.Body.Close()
	go func() {
		req, _ := http.NewRequest("GET", base+"event/next", nil)
		req.Header.Set("Lambda-Extension-Identifier", res.Header.Get("Lambda-Extension-Identifier"))
		http.DefaultClient.Do(req)
	}()
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGTERM)
	go func() {
		<-c
		fmt.Println("saying goodbye")
		time.Sleep(10 * time.Millisecond)
		os.Exit(0)
	}()
}
