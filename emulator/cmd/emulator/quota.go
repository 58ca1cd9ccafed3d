package main

import (
	"fmt"
	"strconv"
	"time"

	"crypto-ticker/emulator"
)

const quotaNames = "requests-per-second, burst, connections-per-second, route-throttle, frame-bytes, message-bytes, idle, duration, integration-timeout"

// quotas reads the quotas of the command line.
func quotas(limits pairs) (q emulator.Quotas, err error) {
	for _, l := range limits {
		switch l.name {
		case "requests-per-second":
			q.RequestsPerSecond, err = strconv.ParseFloat(l.value, 64)
		case "burst":
			q.Burst, err = strconv.Atoi(l.value)
		case "connections-per-second":
			q.ConnectionsPerSecond, err = strconv.ParseFloat(l.value, 64)
		case "route-throttle":
			if q.RouteThrottles = l.value == "on"; l.value != "on" && l.value != "off" {
				return q, fmt.Errorf("-quota route-throttle: %q is neither on nor off", l.value)
			}
		case "frame-bytes":
			q.FrameBytes, err = strconv.Atoi(l.value)
		case "message-bytes":
			q.MessageBytes, err = strconv.Atoi(l.value)
		case "idle":
			q.Idle, err = time.ParseDuration(l.value)
		case "duration":
			q.Duration, err = time.ParseDuration(l.value)
		case "integration-timeout":
			q.IntegrationTimeout, err = time.ParseDuration(l.value)
		default:
			return q, fmt.Errorf("-quota %s: there is no such quota; there are %s", l.name, quotaNames)
		}
		if err != nil {
			return q, fmt.Errorf("-quota %s: %q is neither a number nor a time such as 10m, whichever it needs", l.name, l.value)
		}
	}
	return q, nil
}
