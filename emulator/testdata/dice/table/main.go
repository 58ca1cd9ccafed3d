// Table is behind every route of the game. What it answers reaches the player
// only where the route has a response.
package main

import (
	"fmt"
	"log"

	"dice/internal/runtime"
)

type event struct {
	Body    string            `json:"body"`
	Stage   map[string]string `json:"stageVariables"`
	Context struct {
		RouteKey   string `json:"routeKey"`
		EventType  string `json:"eventType"`
		Stage      string `json:"stage"`
		APIID      string `json:"apiId"`
		Authorizer struct {
			PrincipalID string `json:"principalId"`
			Table       string `json:"table"`
		} `json:"authorizer"`
	} `json:"requestContext"`
}

type answer struct {
	StatusCode int    `json:"statusCode"`
	Body       string `json:"body"`
}

func main() {
	runtime.Start(func(e event) (any, error) {
		c := e.Context
		player := c.Authorizer.PrincipalID
		log.Printf("%s %s by %s", c.EventType, c.RouteKey, player)
		return answer{200, fmt.Sprintf("%s at %s/%s: %s plays %s, %s dice, table %s",
			c.RouteKey, c.APIID, c.Stage, player, e.Body, e.Stage["Dice"], c.Authorizer.Table)}, nil
	})
}
