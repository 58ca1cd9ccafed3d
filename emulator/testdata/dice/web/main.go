// Web tells over HTTP what it was asked, by which API, and where the game is.
package main

import (
	"fmt"
	"os"

	"dice/internal/runtime"
)

type event struct {
	Version  string            `json:"version"`
	RouteKey string            `json:"routeKey"`
	Path     map[string]string `json:"pathParameters"`
	Stage    map[string]string `json:"stageVariables"`
	Context  struct {
		APIID string `json:"apiId"`
	} `json:"requestContext"`
}

type answer struct {
	StatusCode int    `json:"statusCode"`
	Body       string `json:"body"`
}

func main() {
	runtime.Start(func(e event) (any, error) {
		return answer{200, fmt.Sprintf("%s of %s, payload %s: %s, house %s, game at %s",
			e.RouteKey, e.Context.APIID, e.Version, e.Path["id"], e.Stage["House"], os.Getenv("GAME"))}, nil
	})
}
